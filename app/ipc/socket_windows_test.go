package ipc

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"kvart/app"
)

func pipeFor(t *testing.T) (net.Listener, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "Åsa Öst", "run", "s")
	l, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
	})
	return l, path
}

// TestPipe_bothWaysAtOnce sends more each way than the system holds, many at a
// time: an end that could only read or write would never be done.
func TestPipe_bothWaysAtOnce(t *testing.T) {
	t.Parallel()
	l, path := pipeFor(t)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				_, _ = io.Copy(c, c)
			}()
		}
	}()
	sent := bytes.Repeat([]byte("åäö"), pipeBuffer)
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() {
			c, err := Connect(t.Context(), path)
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			go func() {
				if _, err := c.Write(sent); err != nil {
					t.Error(err)
				}
			}()
			got := make([]byte, len(sent))
			if _, err := io.ReadFull(c, got); err != nil || !bytes.Equal(got, sent) {
				t.Errorf("%v, other bytes came back", err)
			}
		})
	}
	all.Wait()
}

func TestPipe_endAndDeadline(t *testing.T) {
	t.Parallel()
	l, path := pipeFor(t)
	accepted := make(chan net.Conn, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			t.Error(err)
		}
		accepted <- c
	}()
	c, err := Connect(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	server := <-accepted
	if err := c.SetReadDeadline(time.Now().Add(20 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	var timeout net.Error
	if _, err := c.Read(make([]byte, 1)); !errors.As(err, &timeout) || !timeout.Timeout() || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("nothing came, and the read ended with %v", err)
	}
	if err := c.SetReadDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	if _, err := server.Write([]byte("last words")); err != nil {
		t.Fatal(err)
	}
	server.Close()
	if b, err := io.ReadAll(c); err != nil || string(b) != "last words" {
		t.Errorf("%q, %v", b, err)
	}
}

func TestPipe_closeEndsAccept(t *testing.T) {
	t.Parallel()
	l, path := pipeFor(t)
	ended := make(chan error, 1)
	go func() {
		_, err := l.Accept()
		ended <- err
	}()
	time.Sleep(20 * time.Millisecond)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; !errors.Is(err, net.ErrClosed) {
		t.Errorf("accept ends with %v", err)
	}
	if err := l.Close(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("closed again: %v", err)
	}
	if _, err := Connect(t.Context(), path); err == nil {
		t.Error("somebody answers still")
	}
	again, err := Listen(path)
	if err != nil {
		t.Fatal("the name is not free again:", err)
	}
	again.Close()
}

// TestPipe_wentAgain lets somebody come and go before anybody answers.
func TestPipe_wentAgain(t *testing.T) {
	t.Parallel()
	l, path := pipeFor(t)
	c, err := Connect(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
	go func() {
		c, err := Connect(t.Context(), path)
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		_, _ = c.Write([]byte("here"))
	}()
	for {
		c, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		b, _ := io.ReadAll(c)
		c.Close()
		if string(b) == "here" {
			return
		}
	}
}

func TestConnect_nobody(t *testing.T) {
	t.Parallel()
	if _, err := Connect(t.Context(), filepath.Join(t.TempDir(), "s")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("nobody listens: %v", err)
	}
	l, path := pipeFor(t)
	busy, err := Connect(t.Context(), path) // takes the only place
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	if _, err := Connect(ctx, path); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("busy: %v", err)
	}
	if _, err := Listen(path); app.CodeOf(err) != app.CodeGuardRunning {
		t.Errorf("a second listener while the first, %v, is busy: %v", l.Addr(), err)
	}
}

// TestPipe_farEndGoes closes an end that is itself waiting for an answer.
func TestPipe_farEndGoes(t *testing.T) {
	t.Parallel()
	l, path := pipeFor(t)
	ended := make(chan error, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		_, err = io.ReadAll(c)
		ended <- err
	}()
	c, err := Connect(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	waits := make(chan struct{})
	go func() {
		_, _ = c.Read(make([]byte, 1))
		close(waits)
	}()
	time.Sleep(20 * time.Millisecond)
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	<-waits
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(5 * time.Second):
		t.Error("the other end never hears of it")
	}
}
