package main

import (
	"cmp"
	"fmt"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"
)

// load drives all connections from one goroutine by epoll: without queues and goroutine switches, a received frame
// costs a fraction of a microsecond, so that the server saturates first.
type load struct {
	plan        plan
	connections []*connection
	senders     []*connection
	chats       map[int64]*chat
	wire        wire
	epoll       int
	ready       [256]syscall.EpollEvent
	buffer      []byte
	began       time.Time
	now         int64 // ns since began, as of the last read
	sending     bool
	nextDue     int64 // when the next message is due at a fixed rate
	nextSender  int
	counting    bool
	deliveries  int64
	messages    int64
	acks        int64
	ackTimes    []int64
	checks      checks
}

const (
	drainTimeout = 15 * time.Second
	afterDrain   = 200 * time.Millisecond // time in which repeated deliveries would arrive
	readBytes    = 1 << 18
)

// open opens all connections and then joins all chats, many at a time, as clients do after a restart of the server. It
// calls phaseDone after each of the two phases, with the time that the phase took.
func open(p plan, phaseDone func(phase string, took time.Duration) error) (*load, error) {
	l := &load{plan: p, chats: map[int64]*chat{}, wire: wires[p.Wire], buffer: make([]byte, readBytes)}
	var err error
	if l.epoll, err = syscall.EpollCreate1(syscall.EPOLL_CLOEXEC); err != nil {
		return nil, err
	}
	l.connections = make([]*connection, len(p.Connections))
	began := time.Now()
	err = inParallel(p.Dialers, len(p.Connections), func(i int) (err error) {
		port := cmp.Or(p.Connections[i].Port, p.Port)
		l.connections[i], err = dial(port, int64(i), l.wire, p.Connections[i].Token)
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := phaseDone("connected", time.Since(began)); err != nil {
		return nil, err
	}
	for i, member := range p.Connections {
		l.assign(l.connections[i], member)
	}
	began = time.Now()
	if err := inParallel(p.Dialers, len(l.connections), func(i int) error { return l.connections[i].join() }); err != nil {
		return nil, err
	}
	if err := phaseDone("joined", time.Since(began)); err != nil {
		return nil, err
	}
	for _, c := range l.connections {
		c.chat.base = c.position
		if err := l.watch(c); err != nil {
			return nil, err
		}
	}
	l.began = time.Now()
	return l, nil
}

// inParallel calls work for 0…count-1 from several goroutines; after an error, it starts no further call.
func inParallel(goroutines, count int, work func(i int) error) error {
	// A goroutine that waits in a system call occupies a processor of GOMAXPROCS, and the load runs with one.
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(goroutines))
	var next atomic.Int64
	ended := make(chan error, goroutines)
	for range goroutines {
		go func() {
			for i := next.Add(1) - 1; i < int64(count); i = next.Add(1) - 1 {
				if err := work(int(i)); err != nil {
					next.Store(int64(count))
					ended <- fmt.Errorf("connection %d: %w", i, err)
					return
				}
			}
			ended <- nil
		}()
	}
	var failed error
	for range goroutines {
		if err := <-ended; err != nil && failed == nil {
			failed = err
		}
	}
	return failed
}

// assign makes a connection a member of its chat, and a sender if the plan says so.
func (l *load) assign(c *connection, member planned) {
	if l.chats[member.ChatID] == nil {
		l.chats[member.ChatID] = &chat{id: member.ChatID}
	}
	c.chat = l.chats[member.ChatID]
	c.chat.members++
	if member.Sends {
		c.sender = &sender{}
		l.senders = append(l.senders, c)
	}
}

// watch adds the connection to epoll.
func (l *load) watch(c *connection) error {
	if err := syscall.SetNonblock(c.fd, true); err != nil {
		return err
	}
	event := syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(c.index)}
	return syscall.EpollCtl(l.epoll, syscall.EPOLL_CTL_ADD, c.fd, &event)
}

// start starts the senders: each sends its outstanding messages, or the fixed rate starts now.
func (l *load) start() error {
	l.tick()
	l.sending, l.nextDue = true, l.now
	for range l.plan.Outstanding {
		for _, c := range l.senders {
			if err := l.send(c, l.now); err != nil {
				return err
			}
		}
	}
	return nil
}

// run drives the load for a time d, or until done returns true if done is given.
func (l *load) run(d time.Duration, done func() bool) error {
	for end := l.now + int64(d); l.now < end && (done == nil || !done()); l.tick() {
		if err := l.sendDue(); err != nil {
			return err
		}
		n, err := syscall.EpollWait(l.epoll, l.ready[:], l.epollTimeoutMS())
		if err != nil && err != syscall.EINTR {
			return err
		}
		for i := range max(n, 0) {
			if err := l.read(l.connections[l.ready[i].Fd]); err != nil {
				return err
			}
		}
	}
	return nil
}

// epollTimeoutMS is how long epoll may sleep; at a fixed rate, not beyond the time at which the next message is due.
func (l *load) epollTimeoutMS() int {
	wait := int64(10 * time.Millisecond)
	if l.sending && l.plan.Rate > 0 {
		wait = min(wait, l.nextDue-l.now)
	}
	return int(max(wait, 0) / int64(time.Millisecond))
}

func (l *load) sendDue() error {
	if !l.sending || l.plan.Rate == 0 {
		return nil
	}
	for l.nextDue <= l.now {
		c := l.senders[l.nextSender%len(l.senders)]
		l.nextSender++
		// The latency counts from the time at which the message was due: otherwise a server that holds up the client
		// would look faster than it is.
		if err := l.send(c, l.nextDue); err != nil {
			return err
		}
		l.nextDue += int64(float64(time.Second) / l.plan.Rate)
	}
	return nil
}

func (l *load) send(c *connection, at int64) error {
	if c.closed {
		return nil
	}
	number := int64(len(c.sender.sends))
	c.sender.sends = append(c.sender.sends, send{at: at})
	c.chat.sent++
	clientID := fmt.Sprintf("%d-%d-%d", c.chat.base, c.index, number)
	return c.write(opText, l.wire.send(number, c.chat.id, clientID, contentOf(c.index, number, l.plan.ContentChars)))
}

func (l *load) tick() { l.now = int64(time.Since(l.began)) }

func (l *load) read(c *connection) error {
	if c.closed {
		return nil
	}
	kept := copy(l.buffer, c.partial)
	n, err := syscall.Read(c.fd, l.buffer[kept:])
	if err == syscall.EAGAIN || err == syscall.EINTR {
		return nil
	}
	if err != nil || n == 0 {
		return l.close(c, fmt.Sprintf("hung up: %v", err))
	}
	l.tick()
	data := l.buffer[:kept+n]
	for !c.closed {
		opcode, payload, size, err := nextFrame(data)
		if err != nil {
			return fmt.Errorf("connection %d: %w", c.index, err)
		}
		if size == 0 {
			break
		}
		if err := l.frame(c, opcode, payload); err != nil {
			return fmt.Errorf("connection %d: %w", c.index, err)
		}
		data = data[size:]
	}
	c.partial = append(c.partial[:0], data...)
	return nil
}

func (l *load) close(c *connection, why string) error {
	c.closed = true
	l.checks.note(&l.checks.Closed, 1, "connection %d: %s", c.index, why)
	return syscall.Close(c.fd)
}

func (l *load) frame(c *connection, opcode byte, payload []byte) error {
	switch opcode {
	case opClose:
		return l.close(c, closeText(payload))
	case opPing:
		return c.write(opPong, payload)
	case opText:
	default:
		return nil
	}
	for len(payload) > 0 {
		first, rest := l.wire.next(payload)
		if err := l.text(c, first); err != nil {
			return err
		}
		payload = rest
	}
	return nil
}

func (l *load) text(c *connection, payload []byte) error {
	switch l.wire.kind(payload) {
	case kindMessage:
		return l.message(c, payload)
	case kindAnswer:
		return l.answer(c, payload)
	case kindHeartbeat:
		return c.write(opText, l.wire.heartbeat())
	}
	return nil
}

func (l *load) message(c *connection, payload []byte) error {
	seq := seqOf(payload)
	if !l.checks.follow(c, seq) {
		return nil
	}
	if l.counting {
		l.deliveries++
	}
	m := c.chat.at(seq)
	if m.seen++; m.seen == c.chat.members {
		m.lastAt = l.now
	}
	if c.sender == nil {
		return nil
	}
	if author, number := authorOf(payload); author == c.index {
		return l.own(c, m, number, seq)
	}
	return nil
}

// own handles the event of a message that the connection itself sent.
func (l *load) own(c *connection, m *message, number, seq int64) error {
	sent := l.sendOf(c, number, seq)
	if sent == nil {
		return nil
	}
	sent.echoed = true
	m.sentAt = sent.at
	if l.counting {
		l.messages++
	}
	if l.plan.Mode == modeFanout && l.sending {
		return l.send(c, l.now)
	}
	return nil
}

func (l *load) answer(c *connection, payload []byte) error {
	a, err := l.wire.answer(payload)
	if err != nil {
		return err
	}
	if !a.OK {
		l.checks.note(&l.checks.Refused, 1, "connection %d: %s", c.index, a.refusal())
		return nil
	}
	sent := l.sendOf(c, a.ID, a.Seq)
	if sent == nil {
		return nil
	}
	if sent.acked {
		l.checks.note(&l.checks.Mismatched, 1, "connection %d: message %d acked twice", c.index, a.ID)
		return nil
	}
	sent.acked = true
	c.sender.acked++
	if l.counting {
		l.acks++
		l.ackTimes = append(l.ackTimes, l.now-sent.at)
	}
	if l.plan.Mode == modeSends && l.sending {
		return l.send(c, l.now)
	}
	return nil
}

// sendOf returns the send that an ack or own event belongs to; nil if there is none, or if ack and event have different
// seqs.
func (l *load) sendOf(c *connection, number, seq int64) *send {
	if c.sender != nil && number >= 0 && number < int64(len(c.sender.sends)) {
		if sent := &c.sender.sends[number]; sent.seq == 0 || sent.seq == seq {
			sent.seq = seq
			return sent
		}
	}
	l.checks.note(&l.checks.Mismatched, 1, "connection %d: message %d comes with seq %d", c.index, number, seq)
	return nil
}

// drained reports whether all open connections have received every message and every ack.
func (l *load) drained() bool {
	for _, c := range l.connections {
		if c.closed {
			continue
		}
		if c.position < c.chat.base+c.chat.sent {
			return false
		}
		if s := c.sender; s != nil && s.acked < len(s.sends) {
			return false
		}
	}
	return true
}
