// Package tdstest is the far end of TDS, the protocol that SQL Server speaks,
// as far as a driver needs it: it lets in, takes statements and sends answers,
// over TLS if asked to. What a statement means is for a [Handler] to know. It
// is for tests where no SQL Server can be had.
//
// It follows Microsoft's [MS-TDS], version 7.4.
package tdstest

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
)

// Login is who asks to be let in.
type Login struct {
	User, Password, Program, Host, Database string
	Encrypted                               bool
}

// Request is one batch of statements, with the values of "@p1" and so on.
type Request struct {
	SQL  string
	Args []any
	// Canceled is closed when the client doesn't want the answer any more.
	Canceled <-chan struct{}
}

// Message is an error, or with a class of up to 10 an information.
type Message struct {
	Number int32
	Class  byte
	Text   string
}

// Answer is what comes back.
type Answer struct {
	Columns  []string
	Rows     [][]any // nil, string, int64 or bool; one kind a column
	Messages []Message
	Hangup   bool // the connection ends without an answer
	CutOff   bool // the connection ends in the middle of the answer
}

// Handler knows what statements mean. Its methods are called from many
// goroutines, for one session one after the other.
type Handler interface {
	// Enter lets a client in as session, or says why not.
	Enter(session int, l Login) *Message
	// Run runs a request.
	Run(session int, r Request) Answer
	// Leave is called when a session that was let in has ended.
	Leave(session int)
}

// Encryption is what the server says of itself before the login.
type Encryption byte

// Kinds of encryption.
const (
	NoEncryption Encryption = 2 // it can't
	Encrypts     Encryption = 0 // it does as it is asked
	BadTLS       Encryption = 9 // it says that it does, and then can't
)

// Server listens on a port of this computer.
type Server struct {
	handler    Handler
	listener   net.Listener
	encryption Encryption
	tls        *tls.Config
	work       sync.WaitGroup

	mu    sync.Mutex
	last  int
	conns map[net.Conn]bool
	down  bool
}

// Start starts a server that ends with the test. cert is nil for one that
// doesn't encrypt.
func Start(t *testing.T, handler Handler, encryption Encryption, cert *tls.Certificate) *Server {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{handler: handler, listener: listener, encryption: encryption, conns: map[net.Conn]bool{}}
	if cert != nil {
		// SQL Server speaks no TLS 1.3 inside TDS 7.4.
		s.tls = &tls.Config{Certificates: []tls.Certificate{*cert}, MinVersion: tls.VersionTLS12, MaxVersion: tls.VersionTLS12}
	}
	s.work.Go(s.accept)
	t.Cleanup(func() {
		if err := listener.Close(); err != nil {
			t.Error(err)
		}
		s.Down(true)
		s.work.Wait()
	})
	return s
}

// Port is where it listens.
func (s *Server) Port() int {
	addr, ok := s.listener.Addr().(*net.TCPAddr)
	if !ok {
		return 0
	}
	return addr.Port
}

// Down ends every connection and lets nobody in while it is true, like a
// computer that was switched off.
func (s *Server) Down(down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = down
	for c := range s.conns {
		if down {
			_ = c.Close() // it only has to end
		}
	}
}

func (s *Server) accept() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.last++
		session, down := 50+s.last, s.down
		if !down {
			s.conns[conn] = true
		}
		s.mu.Unlock()
		if down {
			_ = conn.Close()
			continue
		}
		s.work.Go(func() {
			defer func() {
				s.mu.Lock()
				defer s.mu.Unlock()
				delete(s.conns, conn)
				_ = conn.Close() // it may be closed already
			}()
			s.serve(session, conn)
		})
	}
}

// serve talks to one client until it leaves. What goes wrong ends the
// connection, which is for the client to notice.
func (s *Server) serve(session int, conn net.Conn) {
	c := &wire{raw: conn, rw: conn}
	l, err := s.greet(c)
	if err != nil {
		return
	}
	if refused := s.handler.Enter(session, l); refused != nil {
		_ = c.send(answer{Messages: []Message{*refused}}.bytes(false))
		return
	}
	defer s.handler.Leave(session)
	if c.send(loginAck()) != nil {
		return
	}
	packets := make(chan packet)
	done := make(chan struct{})
	defer close(done)
	s.work.Go(func() { c.read(packets, done) })
	for p := range packets {
		if p.kind == packetAttention {
			if c.send(doneToken(tokenDone, doneAttention, 0)) != nil {
				return
			}
			continue
		}
		again, err := s.run(session, c, p, packets)
		if err != nil || !again {
			return
		}
	}
}

// run answers one request. A client that changes its mind meanwhile gets
// nothing but a sign that it was heard.
func (s *Server) run(session int, c *wire, p packet, packets <-chan packet) (again bool, err error) {
	r, rpc, err := parse(p)
	if err != nil {
		return false, err
	}
	canceled := make(chan struct{})
	r.Canceled = canceled
	answers := make(chan Answer, 1)
	s.work.Go(func() { answers <- s.handler.Run(session, r) })
	attention := false
	for {
		select {
		case a := <-answers:
			switch {
			case a.Hangup:
				return false, nil
			case attention:
				return true, c.send(doneToken(tokenDone, doneAttention, 0))
			case a.CutOff:
				whole := answer(a).bytes(rpc)
				return false, c.sendPart(whole, len(whole)/2)
			}
			return true, c.send(answer(a).bytes(rpc))
		case next, ok := <-packets:
			if !ok || next.kind != packetAttention || attention {
				close(canceled)
				<-answers
				return false, io.ErrUnexpectedEOF
			}
			attention = true
			close(canceled)
			canceled = make(chan struct{})
		}
	}
}

var errProtocol = errors.New("not what the protocol says")
