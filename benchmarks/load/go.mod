module vestnik/benchmarks/load

go 1.24
