package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// newLoad is a load of a few connections in one chat; the first connection has sent the given number of messages.
func newLoad(w wire, members, sent int) *load {
	l := &load{wire: w, chats: map[int64]*chat{}}
	for i := range members {
		c := &connection{index: int64(i), wire: w}
		l.connections = append(l.connections, c)
		l.assign(c, planned{ChatID: 7, Sends: i == 0})
	}
	for range sent {
		l.senders[0].sender.sends = append(l.senders[0].sender.sends, send{})
		l.senders[0].chat.sent++
	}
	return l
}

func event(seq, number int64) []byte {
	return fmt.Appendf(nil, `{"type":"new_message","message":{"seq":%d,"content":"%s"},"seq":%d,"timestamp":"T"}`,
		seq, contentOf(0, number, 20), seq)
}

func ack(number, seq int64) []byte {
	return fmt.Appendf(nil, `{"type":"ack","id":%d,"ok":true,"message":{"id":99,"seq":%d},"seq":%d}`, number, seq, seq)
}

func (l *load) deliver(t *testing.T, connection int, seqs ...int64) {
	t.Helper()
	for _, seq := range seqs {
		if err := l.frame(l.connections[connection], opText, event(seq, seq-1)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestDeliveriesAreChecked(t *testing.T) {
	for name, given := range map[string]struct {
		seqs                    []int64
		lost, repeated, foreign int64
	}{
		"in order":  {seqs: []int64{1, 2, 3}},
		"lost":      {seqs: []int64{1, 3}, lost: 1},
		"lost tail": {seqs: []int64{1}, lost: 2},
		"twice":     {seqs: []int64{1, 2, 2, 3}, repeated: 1},
		"reordered": {seqs: []int64{2, 1, 3}, lost: 1, repeated: 1},
		"too many":  {seqs: []int64{1, 2, 3, 4}, foreign: 1},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLoad(raw{}, 2, 3)
			l.deliver(t, 0, 1, 2, 3)
			l.deliver(t, 1, given.seqs...)
			l.checks.finish(l.connections)
			if c := l.checks; c.Lost != given.lost || c.Repeated != given.repeated || c.Foreign != given.foreign {
				t.Errorf("%+v", c)
			}
		})
	}
}

func TestAcksAreChecked(t *testing.T) {
	for name, given := range map[string]struct {
		acks                            [][]byte
		unanswered, mismatched, refused int64
	}{
		"both":     {acks: [][]byte{ack(0, 1), ack(1, 2)}},
		"missing":  {acks: [][]byte{ack(0, 1)}, unanswered: 1},
		"twice":    {acks: [][]byte{ack(0, 1), ack(1, 2), ack(1, 2)}, mismatched: 1},
		"swapped":  {acks: [][]byte{ack(0, 2), ack(1, 1)}, unanswered: 2, mismatched: 2},
		"not sent": {acks: [][]byte{ack(0, 1), ack(1, 2), ack(2, 3)}, mismatched: 1},
		"refused": {
			acks:       [][]byte{ack(0, 1), []byte(`{"type":"error","id":1,"code":"unavailable"}`)},
			unanswered: 1, refused: 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLoad(raw{}, 1, 2)
			l.deliver(t, 0, 1, 2)
			for _, frame := range given.acks {
				if err := l.frame(l.connections[0], opText, frame); err != nil {
					t.Fatal(err)
				}
			}
			l.checks.finish(l.connections)
			c := l.checks
			if c.Unanswered != given.unanswered || c.Mismatched != given.mismatched || c.Refused != given.refused {
				t.Errorf("%+v", c)
			}
		})
	}
}

func TestSocketIOAck(t *testing.T) {
	a, err := socketIO{}.answer([]byte(`4312[{"ok":true,"seq":5}]`))
	if err != nil || a.ID != 12 || !a.OK || a.Seq != 5 {
		t.Errorf("%+v %v", a, err)
	}
	a, err = socketIO{}.answer([]byte(`4313[{"ok":false,"error":{"code":"not_found"}}]`))
	if err != nil || a.ID != 13 || a.OK || a.refusal() != "not_found" {
		t.Errorf("%+v %v", a, err)
	}
}

func TestCentrifugeFrameOfSeveralMessages(t *testing.T) {
	l := newLoad(centrifuge{}, 2, 2)
	push := func(seq int64) string {
		return fmt.Sprintf(`{"push":{"channel":"7","pub":{"data":{"message":{"seq":%d,"content":"%s"},"seq":%d}}}}`,
			seq, contentOf(0, seq-1, 20), seq)
	}
	reply := `{"id":1,"rpc":{"data":{"ok":true,"seq":1}}}`
	frame := []byte(push(1) + "\n" + reply + "\n" + push(2))
	for _, c := range l.connections[:1] {
		if err := l.frame(c, opText, frame); err != nil {
			t.Fatal(err)
		}
	}
	sends := l.senders[0].sender.sends
	if !sends[0].acked || !sends[0].echoed || sends[1].acked || !sends[1].echoed || l.checks.Mismatched != 0 {
		t.Errorf("%+v %+v", sends, l.checks)
	}
	a, err := centrifuge{}.answer([]byte(`{"id":3,"error":{"code":107,"message":"bad request"}}`))
	if err != nil || a.ID != 2 || a.OK || a.refusal() != "bad request" {
		t.Errorf("%+v %v", a, err)
	}
}

func TestNextFrame(t *testing.T) {
	for _, size := range []int{0, 125, 126, 65535, 65536} {
		text := []byte(strings.Repeat("x", size))
		masked := appendFrame(nil, opText, text)
		header := len(masked) - size - len(maskKey)
		sent := slices.Concat(masked[:header], text)
		sent[1] &= 0x7F // as a server sends it
		for _, cut := range []int{0, 1, header - 1, len(sent) - 1} {
			if cut < len(sent) && cut >= 0 {
				if _, _, got, err := nextFrame(sent[:cut]); got != 0 || err != nil {
					t.Errorf("%d of %d bytes: %d %v", cut, len(sent), got, err)
				}
			}
		}
		opcode, payload, got, err := nextFrame(append(sent, 0x81))
		if opcode != opText || !bytes.Equal(payload, text) || got != len(sent) || err != nil {
			t.Errorf("%d bytes: %d %d %v", size, opcode, got, err)
		}
	}
	if _, _, _, err := nextFrame([]byte{0xC1, 0x00}); err == nil {
		t.Error("a compressed frame passed")
	}
}

func BenchmarkFrame(b *testing.B) {
	l := newLoad(raw{}, 2, 0)
	frame := event(0, 0)
	b.ReportAllocs()
	for b.Loop() {
		l.connections[1].position = -1
		l.connections[1].chat.base = -1
		if err := l.frame(l.connections[1], opText, frame); err != nil {
			b.Fatal(err)
		}
	}
}
