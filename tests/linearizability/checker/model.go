package main

import (
	"slices"

	"github.com/anishathalye/porcupine"
)

// message is one message as an answer shows it. Seq is the number of its creation, Changed that of its last change.
type message struct {
	ID      int64  `json:"id"`
	Seq     int64  `json:"seq"`
	Changed int64  `json:"changed"`
	Content string `json:"content"`
}

// operation is one line of a history: a write or a read of one object, between the moments Call and Return.
//
// Outcome is "acked" for what was answered as done, "refused" for not_found, and "perhaps" for a write without an answer:
// it happened, or it did not. Key is the sender and the client_id of a send. Seq is the number that an answer, or the
// final state of the chat, gives to a write; 0 if neither says.
type operation struct {
	Object    string    `json:"object"`
	Call      int64     `json:"call"`
	Return    int64     `json:"return"`
	Kind      string    `json:"kind"`
	Outcome   string    `json:"outcome"`
	Key       string    `json:"key,omitempty"`
	ID        int64     `json:"id,omitempty"`
	Seq       int64     `json:"seq,omitempty"`
	Content   string    `json:"content,omitempty"`
	Duplicate bool      `json:"duplicate,omitempty"`
	Shown     *message  `json:"shown,omitempty"`
	Page      []message `json:"page,omitempty"`
	From      string    `json:"from"`
}

// stored is a message of the model.
type stored struct {
	message
	key     string
	deleted bool
}

// state is a chat: its messages in the order of their numbers, and the number of its last change. For a read mark, head
// is the mark.
type state struct {
	head     int64
	messages []stored
}

var model = (&porcupine.NondeterministicModel{
	Init:  func() []any { return []any{state{}} },
	Step:  func(from, input, _ any) []any { return step(from.(state), input.(*operation)) },
	Equal: func(one, other any) bool { return equal(one.(state), other.(state)) },
	Hash:  func(of any) uint64 { return uint64(of.(state).head)<<16 ^ uint64(len(of.(state).messages)) },
}).ToModel()

func equal(one, other state) bool {
	return one.head == other.head && slices.Equal(one.messages, other.messages)
}

// step returns the states in which an operation may leave a chat, none if the operation contradicts the state.
func step(from state, op *operation) []any {
	switch op.Kind {
	case "send":
		return send(from, op)
	case "edit", "delete":
		return change(from, op)
	case "mark":
		return mark(from, op)
	default:
		return when(agrees(from, op), from)
	}
}

// send appends, unless the key was sent before.
func send(from state, op *operation) []any {
	at := slices.IndexFunc(from.messages, func(kept stored) bool { return kept.key == op.Key })
	if at < 0 {
		made := message{op.ID, from.head + 1, from.head + 1, op.Content}
		to := state{from.head + 1, append(slices.Clip(from.messages), stored{message: made, key: op.Key})}
		switch op.Outcome {
		case "acked":
			return when(!op.Duplicate && *op.Shown == made, to)
		case "perhaps":
			return append(when(op.Seq == made.Seq, to), from)
		}
		return nil
	}
	kept := from.messages[at]
	switch op.Outcome {
	case "acked":
		return when(op.Duplicate && !kept.deleted && *op.Shown == kept.message, from)
	case "refused":
		return when(kept.deleted, from)
	}
	return []any{from}
}

// change edits or deletes a message that is not deleted.
func change(from state, op *operation) []any {
	at := find(from, op.ID)
	if op.Outcome == "refused" {
		return when(at >= 0 && from.messages[at].deleted, from)
	}
	next := from.head + 1
	possible := at >= 0 && !from.messages[at].deleted && (op.Seq == 0 || op.Seq == next)
	var states []any
	if possible {
		changed := from.messages[at]
		changed.Changed = next
		if op.Kind == "edit" {
			changed.Content = op.Content
		} else {
			changed.deleted = true
		}
		to := state{next, slices.Clone(from.messages)}
		to.messages[at] = changed
		states = append(states, to)
	}
	if op.Outcome == "perhaps" {
		states = append(states, from)
	}
	return states
}

// mark moves a read mark forward, and never back.
func mark(from state, op *operation) []any {
	to := state{head: max(from.head, op.Seq)}
	if op.Outcome == "perhaps" {
		return []any{from, to}
	}
	return when(op.Shown.Seq == to.head, to)
}

// agrees says whether a read saw this state.
func agrees(from state, op *operation) bool {
	switch op.Kind {
	case "head":
		return from.head == op.Seq
	case "get":
		at := find(from, op.ID)
		if op.Outcome == "refused" {
			return at < 0 || from.messages[at].deleted
		}
		return at >= 0 && !from.messages[at].deleted && from.messages[at].message == *op.Shown
	case "page":
		page := op.Page
		for _, kept := range from.messages {
			if kept.deleted {
				continue
			}
			if len(page) == 0 || page[0] != kept.message {
				return false
			}
			page = page[1:]
		}
		return len(page) == 0
	}
	return false
}

func find(from state, id int64) int {
	return slices.IndexFunc(from.messages, func(kept stored) bool { return kept.ID == id })
}

func when(legal bool, to state) []any {
	if legal {
		return []any{to}
	}
	return nil
}
