package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
)

// kind is what a text frame from the server means to the load.
type kind int

const (
	kindOther kind = iota
	kindMessage
	kindAnswer
	kindHeartbeat
)

// answer is the ack or the error that a command gets.
type answer struct {
	ID      int64  `json:"id"`
	OK      bool   `json:"ok"`
	Seq     int64  `json:"seq"`
	HeadSeq int64  `json:"head_seq"`
	Code    string `json:"code"`
	Error   struct {
		Code string `json:"code"`
	} `json:"error"`
}

func (a answer) refusal() string { return a.Code + a.Error.Code }

// wire is a protocol that a server speaks over WebSocket.
type wire interface {
	path(token string) string
	// opening is the client's first frame, nil if the server sends first.
	opening(token string) []byte
	// greeting returns the reply to the nth text frame after the handshake, nil for none; done when the server has
	// accepted the connection.
	greeting(nth int, payload []byte, token string) (reply []byte, done bool, err error)
	join(chatID int64) []byte
	send(number, chatID int64, clientID, content string) []byte
	// next splits the payload of a frame into its first message and the rest.
	next(payload []byte) (first, rest []byte)
	kind(payload []byte) kind
	answer(payload []byte) (answer, error)
	heartbeat() []byte
}

var wires = map[string]wire{"raw": raw{}, "socketio": socketIO{}, "centrifuge": centrifuge{}}

// sendFields are the fields of send_message, the same on every wire.
func sendFields(chatID int64, clientID, content string) string {
	return fmt.Sprintf(`"chat_id":%d,"client_id":"%s","content":"%s"`, chatID, clientID, content)
}

// single is a wire with one message in a frame.
type single struct{}

func (single) next(payload []byte) (first, rest []byte) { return payload, nil }

// raw is the plain JSON protocol.
type raw struct{ single }

var (
	rawConnected = []byte(`{"type":"connected"`)
	rawMessage   = []byte(`{"type":"new_message"`)
	rawAck       = []byte(`{"type":"ack"`)
	rawError     = []byte(`{"type":"error"`)
)

func (raw) path(token string) string { return "/ws?token=" + url.QueryEscape(token) }

func (raw) opening(string) []byte { return nil }

func (raw) greeting(_ int, payload []byte, _ string) ([]byte, bool, error) {
	if !bytes.HasPrefix(payload, rawConnected) {
		return nil, false, fmt.Errorf("expected connected, got %.80s", payload)
	}
	return nil, true, nil
}

func (raw) join(chatID int64) []byte {
	return fmt.Appendf(nil, `{"type":"join_chat","id":0,"chat_id":%d}`, chatID)
}

func (raw) send(number, chatID int64, clientID, content string) []byte {
	return fmt.Appendf(nil, `{"type":"send_message","id":%d,%s}`, number, sendFields(chatID, clientID, content))
}

func (raw) kind(payload []byte) kind {
	switch {
	case bytes.HasPrefix(payload, rawMessage):
		return kindMessage
	case bytes.HasPrefix(payload, rawAck), bytes.HasPrefix(payload, rawError):
		return kindAnswer
	}
	return kindOther
}

func (raw) answer(payload []byte) (a answer, err error) {
	err = json.Unmarshal(payload, &a)
	return a, err
}

func (raw) heartbeat() []byte { return nil }

// socketIO is Socket.IO 5 over a WebSocket of Engine.IO 4.
type socketIO struct{ single }

var (
	sioConnected = []byte(`42["connected"`)
	sioMessage   = []byte(`42["new_message"`)
	sioError     = []byte(`42["error"`)
	sioAck       = []byte(`43`)
)

func (socketIO) path(string) string { return "/socket.io/?EIO=4&transport=websocket" }

func (socketIO) opening(string) []byte { return nil }

func (socketIO) greeting(nth int, payload []byte, token string) ([]byte, bool, error) {
	switch {
	case nth == 0 && payload[0] == '0':
		return fmt.Appendf(nil, `40{"token":%q}`, token), false, nil
	case nth == 1 && bytes.HasPrefix(payload, []byte(`40{`)):
		return nil, false, nil
	case nth == 2 && bytes.HasPrefix(payload, sioConnected):
		return nil, true, nil
	}
	return nil, false, fmt.Errorf("unexpected packet %d of the connection: %.80s", nth, payload)
}

func (socketIO) join(chatID int64) []byte {
	return fmt.Appendf(nil, `420["join_chat",{"chat_id":%d}]`, chatID)
}

func (socketIO) send(number, chatID int64, clientID, content string) []byte {
	return fmt.Appendf(nil, `42%d["send_message",{%s}]`, number, sendFields(chatID, clientID, content))
}

func (socketIO) kind(payload []byte) kind {
	switch {
	case bytes.HasPrefix(payload, sioMessage):
		return kindMessage
	case bytes.HasPrefix(payload, sioAck), bytes.HasPrefix(payload, sioError):
		return kindAnswer
	case len(payload) == 1 && payload[0] == '2':
		return kindHeartbeat
	}
	return kindOther
}

func (socketIO) answer(payload []byte) (answer, error) {
	start := bytes.IndexByte(payload, '[')
	if !bytes.HasPrefix(payload, sioAck) || start < 0 {
		return answer{}, fmt.Errorf("not an ack: %.80s", payload)
	}
	id, err := strconv.ParseInt(string(payload[2:start]), 10, 64)
	if err != nil {
		return answer{}, err
	}
	var answers []answer
	if err := json.Unmarshal(payload[start:], &answers); err != nil || len(answers) != 1 {
		return answer{}, fmt.Errorf("not an ack: %.80s", payload)
	}
	answers[0].ID = id
	return answers[0], nil
}

func (socketIO) heartbeat() []byte { return []byte("3") }

// centrifuge is the JSON protocol of the library centrifuge. A chat is a channel. A remote call sends a message, and its
// answer has the message's number. A frame holds all messages that were waiting, one on each line.
type centrifuge struct{}

var (
	centrifugeConnected = []byte(`{"id":1,"connect":`)
	centrifugePush      = []byte(`{"push":`)
	centrifugeReply     = []byte(`{"id":`)
	centrifugePing      = []byte(`{}`)
)

func (centrifuge) path(string) string { return "/connection/websocket" }

func (centrifuge) opening(string) []byte { return []byte(`{"id":1,"connect":{}}`) }

func (centrifuge) greeting(_ int, payload []byte, _ string) ([]byte, bool, error) {
	if !bytes.HasPrefix(payload, centrifugeConnected) {
		return nil, false, fmt.Errorf("expected connect, got %.80s", payload)
	}
	return nil, true, nil
}

func (centrifuge) join(chatID int64) []byte {
	return fmt.Appendf(nil, `{"id":1,"subscribe":{"channel":"%d"}}`, chatID)
}

// send uses the message's number + 1 as the id of the call, because the protocol counts from 1.
func (centrifuge) send(number, chatID int64, clientID, content string) []byte {
	return fmt.Appendf(nil, `{"id":%d,"rpc":{"data":{%s}}}`, number+1, sendFields(chatID, clientID, content))
}

func (centrifuge) next(payload []byte) (first, rest []byte) {
	first, rest, _ = bytes.Cut(payload, []byte("\n"))
	return first, rest
}

func (centrifuge) kind(payload []byte) kind {
	switch {
	case bytes.HasPrefix(payload, centrifugePush):
		return kindMessage
	case bytes.HasPrefix(payload, centrifugeReply):
		return kindAnswer
	case bytes.Equal(payload, centrifugePing):
		return kindHeartbeat
	}
	return kindOther
}

// answer has no head: a channel without history starts at the first join.
func (centrifuge) answer(payload []byte) (answer, error) {
	var reply struct {
		ID    int64 `json:"id"`
		Error struct {
			Message string `json:"message"`
		} `json:"error"`
		RPC struct {
			Data answer `json:"data"`
		} `json:"rpc"`
	}
	err := json.Unmarshal(payload, &reply)
	a := reply.RPC.Data
	a.ID, a.OK, a.Code = reply.ID-1, reply.Error.Message == "", reply.Error.Message
	return a, err
}

func (centrifuge) heartbeat() []byte { return []byte(`{}`) }

var (
	seqKey     = []byte(`"seq":`)
	contentKey = []byte(`"content":"`)
)

// seqOf is the number of a new message in its chat: the last `seq` in the payload, which is the one of the event itself.
func seqOf(payload []byte) int64 {
	at := bytes.LastIndex(payload, seqKey)
	if at < 0 {
		return 0
	}
	number, _ := digits(payload[at+len(seqKey):])
	return number
}

// authorOf reads the author and the number that contentOf wrote.
func authorOf(payload []byte) (author, number int64) {
	at := bytes.Index(payload, contentKey)
	if at < 0 {
		return -1, -1
	}
	author, rest := digits(payload[at+len(contentKey):])
	if len(rest) == 0 {
		return -1, -1
	}
	number, _ = digits(rest[1:])
	return author, number
}

// contentOf is a text of the given length that starts with its author and its number.
func contentOf(author, number int64, size int) string {
	text := fmt.Appendf(nil, "%d %d ", author, number)
	for len(text) < size {
		text = append(text, 'x')
	}
	return string(text)
}

func digits(text []byte) (number int64, rest []byte) {
	for i, b := range text {
		if b < '0' || b > '9' {
			return number, text[i:]
		}
		number = number*10 + int64(b-'0')
	}
	return number, nil
}
