package tdstest

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
	"unicode/utf16"
)

// Kinds of packets.
const (
	packetBatch     = 1
	packetRPC       = 3
	packetReply     = 4
	packetAttention = 6
	packetLogin     = 16
	packetPrelogin  = 18
)

// packetSize is the largest packet that is sent.
const packetSize = 4096

// packet is a whole message, put together again.
type packet struct {
	kind byte
	body []byte
}

// wire is a connection as the protocol sees it.
type wire struct {
	raw net.Conn
	rw  io.ReadWriter
}

// message reads a whole message.
func (c *wire) message() (p packet, err error) {
	for {
		head := make([]byte, 8)
		if _, err := io.ReadFull(c.rw, head); err != nil {
			return p, err
		}
		size := int(binary.BigEndian.Uint16(head[2:]))
		if size < 8 {
			return p, errProtocol
		}
		part := make([]byte, size-8)
		if _, err := io.ReadFull(c.rw, part); err != nil {
			return p, err
		}
		p.kind, p.body = head[0], append(p.body, part...)
		if head[1]&1 != 0 {
			return p, nil
		}
	}
}

// read hands on messages until the client leaves or done is closed.
func (c *wire) read(to chan<- packet, done <-chan struct{}) {
	defer close(to)
	for {
		p, err := c.message()
		if err != nil {
			return
		}
		select {
		case to <- p:
		case <-done:
			return
		}
	}
}

func (c *wire) send(body []byte) error { return c.sendKind(packetReply, body) }

func (c *wire) sendKind(kind byte, body []byte) error {
	for seq := byte(1); ; seq++ {
		part := body[:min(len(body), packetSize-8)]
		body = body[len(part):]
		head := []byte{kind, 0, 0, 0, 0, 0, seq, 0}
		if len(body) == 0 {
			head[1] = 1
		}
		binary.BigEndian.PutUint16(head[2:], uint16(len(part)+8))
		if _, err := c.rw.Write(append(head, part...)); err != nil {
			return err
		}
		if len(body) == 0 {
			return nil
		}
	}
}

// sendPart sends n bytes of a message in a packet that promises all of it.
func (c *wire) sendPart(body []byte, n int) error {
	head := []byte{packetReply, 1, 0, 0, 0, 0, 1, 0}
	binary.BigEndian.PutUint16(head[2:], uint16(len(body)+8))
	_, err := c.rw.Write(append(head, body[:n]...))
	return err
}

// greet does what comes before the login, and reads that.
func (s *Server) greet(c *wire) (l Login, err error) {
	p, err := c.message()
	if err != nil {
		return l, err
	}
	if p.kind != packetPrelogin {
		return l, errProtocol
	}
	asked, err := preloginEncryption(p.body)
	if err != nil {
		return l, err
	}
	encryption := NoEncryption
	if (s.tls != nil || s.encryption == BadTLS) && asked != byte(NoEncryption) {
		encryption = Encryption(asked)
	}
	if err := c.send(prelogin(byte(encryption))); err != nil {
		return l, err
	}
	if s.encryption == BadTLS && encryption != NoEncryption {
		return l, errors.Join(errProtocol, c.sendKind(packetPrelogin, []byte("this is no TLS record")))
	}
	if encryption != NoEncryption {
		if err := s.secure(c); err != nil {
			return l, err
		}
	}
	if p, err = c.message(); err != nil {
		return l, err
	}
	if p.kind != packetLogin {
		return l, errProtocol
	}
	if encryption == Encrypts {
		c.rw = c.raw // it was for the login only
	}
	l, err = parseLogin(p.body)
	l.Encrypted = encryption != NoEncryption
	return l, err
}

// preloginEncryption finds what the client wants.
func preloginEncryption(b []byte) (byte, error) {
	for i := 0; i+5 <= len(b) && b[i] != 0xff; i += 5 {
		at := int(binary.BigEndian.Uint16(b[i+1:]))
		if b[i] == 1 && at < len(b) {
			return b[at], nil
		}
	}
	return 0, errProtocol
}

func prelogin(encryption byte) []byte {
	// VERSION at 11, ENCRYPTION at 17.
	return []byte{0, 0, 11, 0, 6, 1, 0, 17, 0, 1, 0xff, 15, 0, 0x07, 0xd0, 0, 0, encryption}
}

// secure does the handshake of TLS, whose records travel in packets until it
// is done and bare afterwards.
func (s *Server) secure(c *wire) error {
	in := &wrapped{Conn: c.raw, c: c, inside: true}
	secured := tls.Server(in, s.tls)
	if err := c.raw.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return err
	}
	if err := secured.Handshake(); err != nil {
		return err
	}
	if err := c.raw.SetDeadline(time.Time{}); err != nil {
		return err
	}
	in.inside = false
	c.rw = secured
	return nil
}

// wrapped carries TLS in packets while inside is true.
type wrapped struct {
	net.Conn
	c      *wire
	inside bool
	left   []byte
}

func (w *wrapped) Read(b []byte) (int, error) {
	if !w.inside {
		return w.Conn.Read(b)
	}
	if len(w.left) == 0 {
		p, err := w.c.message()
		if err != nil {
			return 0, err
		}
		w.left = p.body
	}
	n := copy(b, w.left)
	w.left = w.left[n:]
	return n, nil
}

func (w *wrapped) Write(b []byte) (int, error) {
	if !w.inside {
		return w.Conn.Write(b)
	}
	return len(b), w.c.sendKind(packetPrelogin, b)
}

// parseLogin reads a LOGIN7 record.
func parseLogin(b []byte) (l Login, err error) {
	field := func(at int) []byte {
		if at+4 > len(b) {
			err = errProtocol
			return nil
		}
		from, n := int(binary.LittleEndian.Uint16(b[at:])), 2*int(binary.LittleEndian.Uint16(b[at+2:]))
		if from+n > len(b) {
			err = errProtocol
			return nil
		}
		return bytes.Clone(b[from : from+n])
	}
	l.Host, l.User = text(field(36)), text(field(40))
	password := field(44)
	for i, ch := range password {
		ch ^= 0xA5
		password[i] = ch<<4 | ch>>4
	}
	l.Password, l.Program, l.Database = text(password), text(field(48)), text(field(68))
	return l, err
}

// text decodes UTF-16.
func text(b []byte) string {
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = binary.LittleEndian.Uint16(b[2*i:])
	}
	return string(utf16.Decode(units))
}

func encode(s string) []byte {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return b
}

// parse reads a request; rpc reports that it came as a call of sp_executesql.
func parse(p packet) (r Request, rpc bool, err error) {
	in := &reader{b: p.body}
	in.skip(int(in.uint32()) - 4) // the headers
	switch p.kind {
	case packetBatch:
		r.SQL = text(in.rest())
	case packetRPC:
		rpc = true
		if in.uint16() != 0xffff || in.uint16() != 10 {
			return r, rpc, fmt.Errorf("%w: only sp_executesql is known", errProtocol)
		}
		in.skip(2)
		var values []any
		for len(in.b) > 0 && !in.bad {
			values = append(values, in.param())
		}
		if len(values) < 2 || in.bad {
			return r, rpc, errProtocol
		}
		r.SQL, _ = values[0].(string)
		r.Args = values[2:]
	default:
		return r, rpc, fmt.Errorf("%w: packet of kind %d", errProtocol, p.kind)
	}
	if in.bad {
		return r, rpc, errProtocol
	}
	return r, rpc, nil
}

// reader takes a message apart.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) skip(n int) []byte {
	if n < 0 || n > len(r.b) {
		r.bad, r.b = true, nil
		return make([]byte, max(n, 0)&0xffff)
	}
	part := r.b[:n]
	r.b = r.b[n:]
	return part
}

func (r *reader) rest() []byte { return r.skip(len(r.b)) }
func (r *reader) byte() byte   { return append(bytes.Clone(r.skip(1)), 0)[0] }
func (r *reader) uint16() uint16 {
	return binary.LittleEndian.Uint16(append(bytes.Clone(r.skip(2)), 0, 0))
}

func (r *reader) uint32() uint32 {
	return binary.LittleEndian.Uint32(append(bytes.Clone(r.skip(4)), 0, 0, 0, 0))
}

// param reads one parameter: a number or a text.
func (r *reader) param() any {
	r.skip(2 * int(r.byte())) // name
	r.skip(1)                 // flags
	switch kind := r.byte(); kind {
	case typeInt:
		r.skip(1)
		b := r.skip(int(r.byte()))
		var n int64
		for i, ch := range b {
			n |= int64(ch) << (8 * i)
		}
		return n
	case typeText:
		size := r.uint16()
		r.skip(5) // collation
		if size != 0xffff {
			return text(r.skip(int(r.uint16())))
		}
		r.skip(8)
		var b []byte
		for n := r.uint32(); n > 0; n = r.uint32() {
			b = append(b, r.skip(int(n))...)
		}
		return text(b)
	}
	r.bad = true
	return nil
}
