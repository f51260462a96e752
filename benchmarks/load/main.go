// The load client of the benchmarks: many clients of a chat server in one thread. It checks every delivery.
//
// The client reads a plan from standard input and writes JSON lines: a {"phase": …} at the start of each phase, so that
// the parent process can sample the server, and the report in the end. It connects only to 127.0.0.1.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"slices"
	"syscall"
	"time"
)

const (
	modeFanout  = "fanout"  // a sender sends again when its own event arrives
	modeSends   = "sends"   // a sender sends again when its ack arrives
	modeLatency = "latency" // all senders together send at a fixed rate
	modeIdle    = "idle"    // no connection sends
)

type planned struct {
	Token  string `json:"token"`
	ChatID int64  `json:"chat_id"`
	Sends  bool   `json:"sends"`
}

type plan struct {
	Mode         string    `json:"mode"`
	Wire         string    `json:"wire"`
	Port         int       `json:"port"`
	Dialers      int       `json:"dialers"`     // how many connections open, or join, at a time
	Outstanding  int       `json:"outstanding"` // messages in flight of each sender; 0 in modes latency and idle
	Rate         float64   `json:"rate"`        // messages a second of all senders together; 0 except in mode latency
	ContentChars int       `json:"content_chars"`
	WarmupS      float64   `json:"warmup_s"`
	MeasureS     float64   `json:"measure_s"`
	Connections  []planned `json:"connections"`
}

func (p plan) validate() error {
	fixed, idle := p.Mode == modeLatency, p.Mode == modeIdle
	sends := slices.ContainsFunc(p.Connections, func(c planned) bool { return c.Sends })
	switch {
	case p.Mode != modeFanout && p.Mode != modeSends && !fixed && !idle:
		return fmt.Errorf("unknown mode %q", p.Mode)
	case wires[p.Wire] == nil:
		return fmt.Errorf("unknown wire %q", p.Wire)
	case p.Dialers < 1:
		return fmt.Errorf("no dialers")
	case fixed != (p.Rate > 0) || (fixed || idle) != (p.Outstanding == 0):
		return fmt.Errorf("mode %s with rate %v and %d outstanding", p.Mode, p.Rate, p.Outstanding)
	case idle == sends:
		return fmt.Errorf("mode %s, and senders: %t", p.Mode, sends)
	}
	return nil
}

// percentiles of times, in milliseconds.
type percentiles struct {
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
}

type report struct {
	Phase       string      `json:"phase"`
	Deliveries  float64     `json:"deliveries_per_s"`
	Messages    float64     `json:"messages_per_s"`
	Acks        float64     `json:"acks_per_s"`
	DeliveredMS percentiles `json:"delivered_ms"` // from the send to the last member
	AckedMS     percentiles `json:"acked_ms"`
	Writes      float64     `json:"writes_per_s"`    // of the server, to the connections of the load
	WriteBytes  float64     `json:"bytes_per_write"` // 0 without writes
	ClientBusy  float64     `json:"client_busy"`     // share of a core that the client itself used
	Checks      checks      `json:"checks"`
}

func main() {
	runtime.GOMAXPROCS(1)
	if err := measure(); err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}

func measure() error {
	var p plan
	if err := json.NewDecoder(os.Stdin).Decode(&p); err != nil {
		return fmt.Errorf("the plan: %w", err)
	}
	if err := p.validate(); err != nil {
		return err
	}
	out := json.NewEncoder(os.Stdout)
	l, err := open(p, func(phase string, took time.Duration) error {
		return out.Encode(map[string]any{"phase": phase, "per_s": float64(len(p.Connections)) / took.Seconds()})
	})
	if err != nil {
		return err
	}
	if err := l.start(); err != nil {
		return err
	}
	if err := l.run(seconds(p.WarmupS), nil); err != nil {
		return err
	}
	from, busy, before := l.now, cpuTime(), l.received()
	l.counting = true
	if err := out.Encode(map[string]string{"phase": "measuring"}); err != nil {
		return err
	}
	if err := l.run(seconds(p.MeasureS), nil); err != nil {
		return err
	}
	to, busy, after := l.now, cpuTime()-busy, l.received()
	l.counting, l.sending = false, false
	if err := out.Encode(map[string]string{"phase": "measured"}); err != nil {
		return err
	}
	if err := l.run(drainTimeout, l.drained); err != nil {
		return err
	}
	if err := l.run(afterDrain, nil); err != nil {
		return err
	}
	l.checks.finish(l.connections)
	report := l.report(from, to, busy)
	report.writes(before, after, float64(to-from)/1e9)
	return out.Encode(report)
}

func (l *load) report(from, to, busy int64) report {
	var delivered []int64
	for _, c := range l.chats {
		for _, m := range c.messages {
			if m.sentAt >= from && m.sentAt < to && m.seen == c.members {
				delivered = append(delivered, m.lastAt-m.sentAt)
			}
		}
	}
	windowS := float64(to-from) / 1e9
	return report{
		Phase:       "report",
		Deliveries:  float64(l.deliveries) / windowS,
		Messages:    float64(l.messages) / windowS,
		Acks:        float64(l.acks) / windowS,
		DeliveredMS: percentilesOf(delivered),
		AckedMS:     percentilesOf(l.ackTimes),
		ClientBusy:  float64(busy) / float64(to-from),
		Checks:      l.checks,
	}
}

func percentilesOf(times []int64) percentiles {
	if len(times) == 0 {
		return percentiles{}
	}
	slices.Sort(times)
	at := func(share float64) float64 { return float64(times[int(share*float64(len(times)-1))]) / 1e6 }
	return percentiles{at(0.5), at(0.99)}
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// cpuTime is the processor time that this process has used, in nanoseconds.
func cpuTime() int64 {
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) != nil {
		return 0
	}
	return usage.Utime.Nano() + usage.Stime.Nano()
}
