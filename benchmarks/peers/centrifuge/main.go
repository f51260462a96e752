// A chat server on the Go library centrifuge, in memory. It uses the zero configuration, as the library recommends, and
// takes write buffers from a pool, which saves memory with many connections.
package main

import (
	"context"
	"encoding/json"
	"log"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/centrifugal/centrifuge"
)

// sent is the payload of a client's send_message.
type sent struct {
	ChatID   int64  `json:"chat_id"`
	Content  string `json:"content"`
	ClientID string `json:"client_id"`
}

type message struct {
	ID          int64               `json:"id"`
	ChatID      int64               `json:"chat_id"`
	Seq         int64               `json:"seq"`
	ChangedSeq  int64               `json:"changed_seq"`
	Content     string              `json:"content"`
	SenderID    int64               `json:"sender_id"`
	CreatedAt   time.Time           `json:"created_at"`
	EditedAt    *time.Time          `json:"edited_at"`
	MessageType string              `json:"message_type"`
	ReplyTo     *int64              `json:"reply_to"`
	Reactions   map[string][]string `json:"reactions"`
	Pinned      bool                `json:"pinned"`
	Attachments []string            `json:"attachments"`
	ClientID    string              `json:"client_id"`
}

type event struct {
	ChatID    int64     `json:"chat_id"`
	Message   message   `json:"message"`
	Seq       int64     `json:"seq"`
	Timestamp time.Time `json:"timestamp"`
}

type ack struct {
	OK        bool    `json:"ok"`
	Message   message `json:"message"`
	Seq       int64   `json:"seq"`
	Duplicate bool    `json:"duplicate"`
}

// chats numbers the messages of each chat. It takes the number and publishes the message under one lock: otherwise one
// publisher could overtake another in between.
type chats struct {
	sync.Mutex
	node  *centrifuge.Node
	heads map[int64]int64
}

func (c *chats) send(s sent, userID int64) (message, error) {
	c.Lock()
	defer c.Unlock()
	c.heads[s.ChatID]++
	seq, now := c.heads[s.ChatID], time.Now().UTC()
	m := message{
		ID: seq, ChatID: s.ChatID, Seq: seq, ChangedSeq: seq, Content: s.Content, SenderID: userID, CreatedAt: now,
		MessageType: "text", Reactions: map[string][]string{}, Attachments: []string{}, ClientID: s.ClientID,
	}
	data, err := json.Marshal(event{ChatID: s.ChatID, Message: m, Seq: seq, Timestamp: now})
	if err != nil {
		return m, err
	}
	_, err = c.node.Publish(strconv.FormatInt(s.ChatID, 10), data)
	return m, err
}

func (c *chats) serve(client *centrifuge.Client) {
	userID, err := strconv.ParseInt(client.UserID(), 10, 64)
	if err != nil {
		log.Fatal(err)
	}
	client.OnSubscribe(func(_ centrifuge.SubscribeEvent, cb centrifuge.SubscribeCallback) {
		cb(centrifuge.SubscribeReply{}, nil)
	})
	client.OnRPC(func(e centrifuge.RPCEvent, cb centrifuge.RPCCallback) {
		var s sent
		if err := json.Unmarshal(e.Data, &s); err != nil {
			cb(centrifuge.RPCReply{}, centrifuge.ErrorBadRequest)
			return
		}
		m, err := c.send(s, userID)
		if err != nil {
			cb(centrifuge.RPCReply{}, err)
			return
		}
		data, err := json.Marshal(ack{OK: true, Message: m, Seq: m.Seq})
		cb(centrifuge.RPCReply{Data: data}, err)
	})
}

func main() {
	node, err := centrifuge.New(centrifuge.Config{})
	if err != nil {
		log.Fatal(err)
	}
	var users int64
	var counting sync.Mutex
	node.OnConnecting(func(context.Context, centrifuge.ConnectEvent) (centrifuge.ConnectReply, error) {
		counting.Lock()
		defer counting.Unlock()
		users++
		return centrifuge.ConnectReply{Credentials: &centrifuge.Credentials{UserID: strconv.FormatInt(users, 10)}}, nil
	})
	c := &chats{node: node, heads: map[int64]int64{}}
	node.OnConnect(c.serve)
	if err := node.Run(); err != nil {
		log.Fatal(err)
	}
	http.Handle("/connection/websocket", centrifuge.NewWebsocketHandler(node, centrifuge.WebsocketConfig{
		UseWriteBufferPool: true,
	}))
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Args[1], nil))
}
