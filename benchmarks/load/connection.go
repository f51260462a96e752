package main

import (
	"bytes"
	"fmt"
	"syscall"
)

const handshakeTimeoutS = 30

// connection is one client. Only one goroutine uses it.
type connection struct {
	index    int64
	fd       int
	wire     wire
	chat     *chat
	sender   *sender // nil for a connection that only listens
	position int64   // the seq of the last received message
	partial  []byte  // the beginning of a frame whose rest has not arrived
	unread   []byte  // unhandled messages of a frame that arrived before the load began
	closed   bool
}

// dial opens a connection to a port of this machine, and returns when the server has greeted the client.
func dial(port int, index int64, w wire, token string) (*connection, error) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	c := &connection{index: index, fd: fd, wire: w}
	timeout := syscall.Timeval{Sec: handshakeTimeoutS}
	if err := syscall.SetsockoptTimeval(fd, syscall.SOL_SOCKET, syscall.SO_RCVTIMEO, &timeout); err != nil {
		return nil, err
	}
	if err := syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1); err != nil {
		return nil, err
	}
	if err := syscall.Connect(fd, &syscall.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return nil, err
	}
	if err := c.upgrade(w.path(token)); err != nil {
		return nil, err
	}
	if first := w.opening(token); first != nil {
		if err := c.write(opText, first); err != nil {
			return nil, err
		}
	}
	for nth := 0; ; nth++ {
		payload, err := c.waitText()
		if err != nil {
			return nil, err
		}
		reply, done, err := w.greeting(nth, payload, token)
		if err != nil || done {
			return c, err
		}
		if reply != nil {
			if err := c.write(opText, reply); err != nil {
				return nil, err
			}
		}
	}
}

func (c *connection) upgrade(path string) error {
	request := fmt.Sprintf("GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dmVzdG5payBiZW5jaG1hcg==\r\n\r\n", path)
	if err := c.writeAll([]byte(request)); err != nil {
		return err
	}
	for {
		if head, rest, found := bytes.Cut(c.partial, []byte("\r\n\r\n")); found {
			c.partial = rest
			if !bytes.HasPrefix(head, []byte("HTTP/1.1 101 ")) {
				return fmt.Errorf("handshake refused: %.80s", head)
			}
			return nil
		}
		if err := c.waitMore(); err != nil {
			return err
		}
	}
}

// join joins the chat and sets the connection's position to the chat's head.
func (c *connection) join() error {
	if err := c.write(opText, c.wire.join(c.chat.id)); err != nil {
		return err
	}
	for {
		payload, err := c.waitText()
		if err != nil {
			return err
		}
		if c.wire.kind(payload) != kindAnswer {
			continue
		}
		answer, err := c.wire.answer(payload)
		if err != nil {
			return err
		}
		if !answer.OK {
			return fmt.Errorf("join_chat refused: %s", answer.refusal())
		}
		c.position = answer.HeadSeq
		return nil
	}
}

// waitText blocks until a text message arrives. It is only for the time before the load.
func (c *connection) waitText() ([]byte, error) {
	for {
		if len(c.unread) > 0 {
			first, rest := c.wire.next(c.unread)
			c.unread = rest
			return first, nil
		}
		opcode, payload, size, err := nextFrame(c.partial)
		switch {
		case err != nil:
			return nil, err
		case size == 0:
			if err := c.waitMore(); err != nil {
				return nil, err
			}
			continue
		case opcode == opClose:
			return nil, fmt.Errorf("closed by the server: %s", closeText(payload))
		}
		c.partial = c.partial[size:]
		if opcode == opText {
			c.unread = payload
		}
	}
}

func (c *connection) waitMore() error {
	var part [4096]byte
	n, err := syscall.Read(c.fd, part[:])
	for err == syscall.EINTR { // the kernel does not restart a read that has a timeout
		n, err = syscall.Read(c.fd, part[:])
	}
	if err != nil {
		return fmt.Errorf("waiting for the server: %w", err)
	}
	if n == 0 {
		return fmt.Errorf("the server hung up")
	}
	c.partial = append(c.partial, part[:n]...)
	return nil
}

// write sends one frame in one system call.
func (c *connection) write(opcode byte, payload []byte) error {
	return c.writeAll(appendFrame(nil, opcode, payload))
}

func (c *connection) writeAll(data []byte) error {
	n, err := syscall.Write(c.fd, data)
	if err != nil {
		return fmt.Errorf("writing to the server: %w", err)
	}
	if n < len(data) {
		return fmt.Errorf("the server does not read")
	}
	return nil
}

func closeText(payload []byte) string {
	if len(payload) < 2 {
		return "no code"
	}
	return fmt.Sprintf("%d %s", int(payload[0])<<8|int(payload[1]), payload[2:])
}
