// Command toxiproxy serves toxiproxy's HTTP API, by which tests put TCP proxies with faults between two programs.
//
// Usage: toxiproxy PORT SEED. It listens on 127.0.0.1, and runs until it is killed.
package main

import (
	"log"
	"math/rand"
	"os"
	"strconv"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
)

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: toxiproxy PORT SEED")
	}
	seed, err := strconv.ParseInt(os.Args[2], 10, 64)
	if err != nil {
		log.Fatal(err)
	}
	rand.Seed(seed) // toxics draw from it
	metrics := toxiproxy.NewMetricsContainer(prometheus.NewRegistry())
	toxiproxy.NewServer(metrics, zerolog.New(os.Stderr)).Listen("127.0.0.1", os.Args[1])
}
