// Command checker says whether a history of operations is linearizable, object by object.
//
// Usage: checker SECONDS < HISTORY. The history has one operation a line, as JSON. It prints one verdict a line: "ok",
// "illegal", or "unknown" if the search of an object took more than these seconds.
package main

import (
	"bufio"
	"encoding/json"
	"log"
	"os"
	"sort"
	"strconv"
	"time"

	"github.com/anishathalye/porcupine"
)

// verdict is what the checker found for one object. Stuck are operations that no order explains, in the longest order
// that was found.
type verdict struct {
	Object     string       `json:"object"`
	Verdict    string       `json:"verdict"`
	Operations int          `json:"operations"`
	Stuck      []*operation `json:"stuck"`
}

const stuckMax = 5

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: checker SECONDS < HISTORY")
	}
	seconds, err := strconv.ParseFloat(os.Args[1], 64)
	if err != nil {
		log.Fatal(err)
	}
	histories := read()
	objects := make([]string, 0, len(histories))
	for object := range histories {
		objects = append(objects, object)
	}
	sort.Strings(objects)
	output := json.NewEncoder(os.Stdout)
	for _, object := range objects {
		found := check(histories[object], time.Duration(seconds*float64(time.Second)))
		found.Object = object
		if err := output.Encode(found); err != nil {
			log.Fatal(err)
		}
	}
}

// read returns the operations of each object.
func read() map[string][]porcupine.Operation {
	histories := map[string][]porcupine.Operation{}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		op := new(operation)
		if err := json.Unmarshal(lines.Bytes(), op); err != nil {
			log.Fatal(err)
		}
		history := histories[op.Object]
		histories[op.Object] = append(history, porcupine.Operation{Input: op, Call: op.Call, Return: op.Return})
	}
	if err := lines.Err(); err != nil {
		log.Fatal(err)
	}
	return histories
}

func check(history []porcupine.Operation, limit time.Duration) verdict {
	result, info := porcupine.CheckOperationsVerbose(model, history, limit)
	found := verdict{Verdict: "unknown", Operations: len(history), Stuck: []*operation{}}
	switch result {
	case porcupine.Ok:
		found.Verdict = "ok"
	case porcupine.Illegal:
		found.Verdict = "illegal"
		found.Stuck = stuck(history, info)
	}
	return found
}

// stuck returns the first operations, by their calls, that the longest partial order has not.
func stuck(history []porcupine.Operation, info porcupine.LinearizationInfo) []*operation {
	placed := map[*operation]bool{}
	for _, partition := range info.PartialLinearizationsOperations() {
		longest := 0
		for i := range partition {
			if len(partition[i]) > len(partition[longest]) {
				longest = i
			}
		}
		if len(partition) > 0 {
			for _, op := range partition[longest] {
				placed[op.Input.(*operation)] = true
			}
		}
	}
	left := []*operation{}
	for _, op := range history {
		if !placed[op.Input.(*operation)] {
			left = append(left, op.Input.(*operation))
		}
	}
	sort.Slice(left, func(i, j int) bool { return left[i].Call < left[j].Call })
	return left[:min(len(left), stuckMax)]
}
