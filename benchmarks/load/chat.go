package main

import "fmt"

// message records the deliveries of one message of a chat. Times are nanoseconds since the load began.
type message struct {
	sentAt, lastAt int64
	seen           int
}

// chat is a chat under load. Only the load writes in it.
type chat struct {
	id       int64
	members  int
	base     int64 // the head after all members had joined
	sent     int64
	messages []message // by seq - base - 1
}

// at returns the message with this seq, which is above base.
func (c *chat) at(seq int64) *message {
	for int64(len(c.messages)) < seq-c.base {
		c.messages = append(c.messages, message{})
	}
	return &c.messages[seq-c.base-1]
}

// send is one sent message from its sender's point of view. echoed: the sender has received its own event. seq is 0
// until the ack or the event arrives.
type send struct {
	at, seq       int64
	acked, echoed bool
}

// sender is the writing half of a connection. Its messages are numbered from 0.
type sender struct {
	sends []send
	acked int
}

// checks counts violations. Examples describes the first few of them.
type checks struct {
	Lost       int64    `json:"lost"`       // a seq that a member never received
	Repeated   int64    `json:"repeated"`   // a seq at or below one that the member already had
	Foreign    int64    `json:"foreign"`    // more messages in a chat than were sent
	Unanswered int64    `json:"unanswered"` // sent messages without an ack, or without the sender's own event
	Mismatched int64    `json:"mismatched"` // an ack or own event that matches no send, comes twice, or has another seq
	Refused    int64    `json:"refused"`    // commands answered with an error
	Closed     int64    `json:"closed"`     // connections that ended
	Examples   []string `json:"examples"`
}

const examplesMax = 10

func (c *checks) note(counter *int64, by int64, format string, values ...any) {
	*counter += by
	if len(c.Examples) < examplesMax {
		c.Examples = append(c.Examples, fmt.Sprintf(format, values...))
	}
}

// follow advances a connection to the seq of a new message. It returns false, and does not advance, if the connection
// already has that seq.
func (c *checks) follow(conn *connection, seq int64) bool {
	switch expected := conn.position + 1; {
	case seq < expected:
		c.note(&c.Repeated, 1, "connection %d: seq %d after %d", conn.index, seq, conn.position)
		return false
	case seq > expected:
		c.note(&c.Lost, seq-expected, "connection %d: seq %d after %d", conn.index, seq, conn.position)
	}
	conn.position = seq
	return true
}

// finish counts what is missing after the last delivery.
func (c *checks) finish(connections []*connection) {
	for _, conn := range connections {
		head := conn.chat.base + conn.chat.sent
		if conn.position < head {
			c.note(&c.Lost, head-conn.position, "connection %d: ended at seq %d of %d", conn.index, conn.position, head)
		} else if conn.position > head {
			c.note(&c.Foreign, conn.position-head, "connection %d: seq %d, but only %d sent", conn.index, conn.position, head)
		}
		if s := conn.sender; s != nil {
			for number, sent := range s.sends {
				if !sent.acked || !sent.echoed {
					c.note(&c.Unanswered, 1, "connection %d: message %d: acked %t, echoed %t", conn.index, number, sent.acked, sent.echoed)
				}
			}
		}
	}
}
