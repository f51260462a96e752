package main

import (
	"encoding/binary"
	"syscall"
	"unsafe"
)

// received is what the kernel has taken in for all connections. On the loopback device each write of the server of up
// to 64 KiB is one segment.
type received struct {
	segments, bytes int64
}

// Where linux/tcp.h has two fields of struct tcp_info, and how long the struct is up to the later one.
const (
	tcpiBytesReceived = 128
	tcpiDataSegsIn    = 152
	tcpiBytes         = 156
)

func (l *load) received() received {
	var sum received
	for _, c := range l.connections {
		var info [256]byte
		size := uint32(len(info))
		_, _, errno := syscall.RawSyscall6(syscall.SYS_GETSOCKOPT, uintptr(c.fd), syscall.IPPROTO_TCP, syscall.TCP_INFO,
			uintptr(unsafe.Pointer(&info[0])), uintptr(unsafe.Pointer(&size)), 0)
		if errno == 0 && size >= tcpiBytes {
			sum.segments += int64(binary.NativeEndian.Uint32(info[tcpiDataSegsIn:]))
			sum.bytes += int64(binary.NativeEndian.Uint64(info[tcpiBytesReceived:]))
		}
	}
	return sum
}

func (r *report) writes(before, after received, windowS float64) {
	if segments := after.segments - before.segments; segments > 0 {
		r.Writes = float64(segments) / windowS
		r.WriteBytes = float64(after.bytes-before.bytes) / float64(segments)
	}
}
