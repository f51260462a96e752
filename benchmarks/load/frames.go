package main

import (
	"encoding/binary"
	"fmt"
)

// The client's side of WebSocket frames (RFC 6455, section 5.2).

const (
	opText  = 0x1
	opClose = 0x8
	opPing  = 0x9
	opPong  = 0xA
)

var maskKey = [4]byte{0x5A, 0xC3, 0x17, 0x8E}

// appendFrame appends one masked frame; clients have to mask theirs.
func appendFrame(out []byte, opcode byte, payload []byte) []byte {
	out = append(out, 0x80|opcode)
	switch size := len(payload); {
	case size < 126:
		out = append(out, 0x80|byte(size))
	case size < 65536:
		out = binary.BigEndian.AppendUint16(append(out, 0x80|126), uint16(size))
	default:
		out = binary.BigEndian.AppendUint64(append(out, 0x80|127), uint64(size))
	}
	out = append(out, maskKey[:]...)
	for i, b := range payload {
		out = append(out, b^maskKey[i%4])
	}
	return out
}

// nextFrame parses the frame at the start of data, without copying it. size is its length with the header, 0 while it
// is incomplete. Frames that no server of these benchmarks sends (masked, compressed, fragmented) are an error.
func nextFrame(data []byte) (opcode byte, payload []byte, size int, err error) {
	if len(data) < 2 {
		return 0, nil, 0, nil
	}
	opcode = data[0] & 0x0F
	if data[0]&0xF0 != 0x80 || data[1]&0x80 != 0 || opcode == 0 {
		return 0, nil, 0, fmt.Errorf("unexpected frame header % x", data[:2])
	}
	start, length := 2, int(data[1])
	switch length {
	case 126:
		if len(data) < 4 {
			return 0, nil, 0, nil
		}
		start, length = 4, int(binary.BigEndian.Uint16(data[2:]))
	case 127:
		if len(data) < 10 {
			return 0, nil, 0, nil
		}
		start, length = 10, int(binary.BigEndian.Uint64(data[2:]))
	}
	size = start + length
	if size < start || len(data) < size {
		return 0, nil, 0, nil
	}
	return opcode, data[start:size], size, nil
}
