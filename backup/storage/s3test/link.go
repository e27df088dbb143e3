package s3test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Link is a connection to the world as a shop has it: every byte takes half a
// round trip each way, and all connections together get so many bytes a second
// of what comes down.
type Link struct {
	Addr string // to reach the server by

	upstream string
	half     time.Duration
	rate     float64 // bytes a second

	requests atomic.Int64
	down, up atomic.Int64

	mu   sync.Mutex
	free time.Time // when the link has sent all that was given to it
	wg   sync.WaitGroup
	ln   net.Listener
}

// NewLink lays a link to the server at upstream, until the test ends.
func NewLink(tb testing.TB, upstream string, roundTrip time.Duration, bytesPerSecond float64) *Link {
	tb.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	l := &Link{Addr: ln.Addr().String(), upstream: upstream, half: roundTrip / 2, rate: bytesPerSecond, ln: ln}
	l.wg.Add(1)
	go l.serve()
	tb.Cleanup(func() {
		if err := ln.Close(); err != nil {
			tb.Error(err)
		}
	})
	return l
}

// Requests returns how many HTTP requests went up.
func (l *Link) Requests() int64 { return l.requests.Load() }

// Down and Up return how many bytes came down and went up.
func (l *Link) Down() int64 { return l.down.Load() }

// Up returns how many bytes went up.
func (l *Link) Up() int64 { return l.up.Load() }

func (l *Link) serve() {
	defer l.wg.Done()
	for {
		c, err := l.ln.Accept()
		if err != nil {
			return // closed
		}
		s, err := net.Dial("tcp", l.upstream)
		if err != nil {
			_ = c.Close() // nothing was sent
			continue
		}
		go l.carry(s, c, func(b []byte) time.Time {
			l.requests.Add(int64(bytes.Count(b, []byte(" HTTP/1.1\r\n"))))
			l.up.Add(int64(len(b)))
			return time.Now()
		})
		go l.carry(c, s, l.pace)
	}
}

// pace returns when the last of b has come through the link.
func (l *Link) pace(b []byte) time.Time {
	l.down.Add(int64(len(b)))
	l.mu.Lock()
	defer l.mu.Unlock()
	if now := time.Now(); l.free.Before(now) {
		l.free = now
	}
	l.free = l.free.Add(time.Duration(float64(len(b)) / l.rate * float64(time.Second)))
	return l.free
}

// packet is what is on its way.
type packet struct {
	b  []byte
	at time.Time
}

// carry brings what from sends to to, half a round trip after through says that
// it was sent.
func (l *Link) carry(to, from net.Conn, through func([]byte) time.Time) {
	way := make(chan packet, 256)
	go func() {
		for p := range way {
			time.Sleep(time.Until(p.at))
			if _, err := to.Write(p.b); err != nil {
				break
			}
		}
		for range way { //nolint:revive // so that the reader ends too
		}
		_ = to.Close() // its other half may have closed it already
	}()
	for {
		buf := make([]byte, 32<<10)
		n, err := from.Read(buf)
		if n > 0 {
			way <- packet{buf[:n], through(buf[:n]).Add(l.half)}
		}
		if errors.Is(err, io.EOF) || err != nil {
			close(way)
			return
		}
	}
}
