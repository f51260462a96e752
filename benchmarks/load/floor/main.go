// Command floor measures what the kernel takes to write the same bytes to many sockets: what no server can do with
// less.
//
// Usage: floor SOCKETS BYTES ROUNDS SECONDS WRITER_CORE READER_CORE. The program starts itself a second time as the
// reader, which only reads, on the other core. The writer writes BYTES to each of SOCKETS connections in turn, and has
// at most ROUNDS such rounds under way that are not read yet, as a room has whose senders wait for their own messages.
// It prints {"cpu_us_per_write": …, "writes_per_s": …} of the writer.
package main

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"
	"time"
	"unsafe"
)

func main() {
	runtime.LockOSThread()
	var err error
	if len(os.Args) == 5 && os.Args[1] == "read" {
		err = read(number(2), number(3), number(4))
	} else if len(os.Args) == 7 {
		err = write(number(1), number(2), number(3), number(4), number(5), number(6))
	} else {
		err = fmt.Errorf("usage: floor SOCKETS BYTES ROUNDS SECONDS WRITER_CORE READER_CORE")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "floor:", err)
		os.Exit(1)
	}
}

func number(index int) int {
	value, err := strconv.Atoi(os.Args[index])
	if err != nil {
		fmt.Fprintln(os.Stderr, "floor:", err)
		os.Exit(1)
	}
	return value
}

// stayOn pins this thread to a core.
func stayOn(core int) error {
	var mask [16]uint64
	mask[core/64] = 1 << (core % 64)
	_, _, errno := syscall.RawSyscall(
		syscall.SYS_SCHED_SETAFFINITY, 0, unsafe.Sizeof(mask), uintptr(unsafe.Pointer(&mask[0])))
	if errno != 0 {
		return errno
	}
	return nil
}

func listen() (fd, port int, err error) {
	if fd, err = syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0); err != nil {
		return
	}
	if err = syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return
	}
	if err = syscall.Listen(fd, 4096); err != nil {
		return
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		return
	}
	return fd, name.(*syscall.SockaddrInet4).Port, nil
}

func write(sockets, bytes, rounds, seconds, core, readerCore int) error {
	if err := stayOn(core); err != nil {
		return err
	}
	listener, port, err := listen()
	if err != nil {
		return err
	}
	reader := exec.Command(os.Args[0], "read", strconv.Itoa(port), strconv.Itoa(sockets), strconv.Itoa(readerCore))
	reader.Stderr = os.Stderr
	if err := reader.Start(); err != nil {
		return err
	}
	defer reader.Process.Kill()
	connections := make([]int, sockets)
	for i := range connections {
		if connections[i], _, err = syscall.Accept(listener); err != nil {
			return err
		}
		if err := syscall.SetsockoptInt(connections[i], syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1); err != nil {
			return err
		}
	}
	// On the last connection, the reader says how many bytes it has read on all of them.
	said, _, err := syscall.Accept(listener)
	if err != nil {
		return err
	}
	w := writer{connections: connections, said: said, buffer: make([]byte, bytes), ahead: int64(sockets) * int64(bytes) * int64(rounds)}
	if err := w.runFor(300 * time.Millisecond); err != nil { // warms up
		return err
	}
	writes, cpu, began := w.writes, cpuTime(), time.Now()
	if err := w.runFor(time.Duration(seconds) * time.Second); err != nil {
		return err
	}
	took, busy, done := time.Since(began), cpuTime()-cpu, w.writes-writes
	return json.NewEncoder(os.Stdout).Encode(map[string]float64{
		"cpu_us_per_write": float64(busy) / 1e3 / float64(done),
		"writes_per_s":     float64(done) / took.Seconds(),
	})
}

type writer struct {
	connections    []int
	said           int
	buffer         []byte
	ahead          int64 // how many bytes may be unread
	written, heard int64
	writes         int64
}

func (w *writer) runFor(duration time.Duration) error {
	for end := time.Now().Add(duration); time.Now().Before(end); {
		for _, fd := range w.connections {
			if err := rawWrite(fd, w.buffer); err != nil {
				return err
			}
		}
		w.writes += int64(len(w.connections))
		w.written += int64(len(w.connections)) * int64(len(w.buffer))
		for w.written-w.heard > w.ahead {
			var totals [4096]byte // the reader may have said more than one
			n, err := syscall.Read(w.said, totals[:])
			if err != nil || n < 8 || n%8 != 0 {
				return fmt.Errorf("the reader is gone: %d, %w", n, err)
			}
			w.heard = int64(binary.LittleEndian.Uint64(totals[n-8 : n]))
		}
	}
	return nil
}

// rawWrite writes without telling Go's scheduler, which would cost as much again.
func rawWrite(fd int, bytes []byte) error {
	n, _, errno := syscall.RawSyscall(syscall.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(&bytes[0])), uintptr(len(bytes)))
	if errno != 0 || int(n) != len(bytes) {
		return fmt.Errorf("wrote %d of %d bytes: %w", n, len(bytes), errno)
	}
	return nil
}

func read(port, sockets, core int) error {
	if err := stayOn(core); err != nil {
		return err
	}
	epoll, err := syscall.EpollCreate1(0)
	if err != nil {
		return err
	}
	connect := func() (int, error) {
		fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
		if err != nil {
			return 0, err
		}
		return fd, syscall.Connect(fd, &syscall.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}})
	}
	for range sockets {
		fd, err := connect()
		if err != nil {
			return err
		}
		if err := syscall.EpollCtl(epoll, syscall.EPOLL_CTL_ADD, fd, &syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(fd)}); err != nil {
			return err
		}
	}
	said, err := connect()
	if err != nil {
		return err
	}
	return readAll(epoll, said)
}

// readAll reads until the writer is gone, and says after each look how many bytes it has read.
func readAll(epoll, said int) error {
	var ready [256]syscall.EpollEvent
	var total uint64
	buffer, report := make([]byte, 1<<18), make([]byte, 8)
	for {
		count, err := syscall.EpollWait(epoll, ready[:], -1)
		if err == syscall.EINTR {
			continue
		}
		if err != nil {
			return err
		}
		for _, event := range ready[:count] {
			n, err := syscall.Read(int(event.Fd), buffer)
			if err != nil || n == 0 {
				return err
			}
			total += uint64(n)
		}
		binary.LittleEndian.PutUint64(report, total)
		if _, err := syscall.Write(said, report); err != nil {
			return nil // the writer has ended
		}
	}
}

// cpuTime is the processor time that this process has used, in nanoseconds.
func cpuTime() int64 {
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) != nil {
		return 0
	}
	return usage.Utime.Nano() + usage.Stime.Nano()
}
