package recovery

import (
	"context"
	"io"
	"net"
	"testing"
	"time"

	"kvart/app"
)

// silentServer accepts and never answers.
func silentServer(t *testing.T) (address string, came <-chan struct{}) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	calls := make(chan struct{}, 10)
	done := make(chan struct{})
	go func() {
		defer close(done)
		var open []net.Conn
		for {
			c, err := ln.Accept()
			if err != nil {
				for _, c := range open {
					_ = c.Close()
				}
				return
			}
			open = append(open, c)
			calls <- struct{}{}
		}
	}()
	t.Cleanup(func() { _ = ln.Close(); <-done })
	return ln.Addr().String(), calls
}

// asks connects, says something and waits for an answer until ctx ends.
func asks(ctx context.Context, address string) error {
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { _ = c.Close() })()
	if _, err := io.WriteString(c, "GET / HTTP/1.1\r\n\r\n"); err != nil {
		return err
	}
	if _, err = c.Read(make([]byte, 1)); ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// TestProbe_hangs: a server that takes the question and never answers costs the
// owner no more than the limit, is told as what it is, and keeps nobody else
// waiting meanwhile.
func TestProbe_hangs(t *testing.T) {
	t.Parallel()
	e, h := newTest(t)
	if e.limit != probeLimit {
		t.Errorf("a probe may take %s", e.limit)
	}
	e.limit = 300 * time.Millisecond
	address, came := silentServer(t)
	h.open(e, app.PlaybookComputer)
	h.tick(e, "install")
	h.probe = func(ctx context.Context, _ app.Probe) app.StepResult {
		return app.StepResult{State: app.StepFailed, Error: app.AsError(asks(ctx, address))}
	}
	type answer struct {
		i   app.Incident
		err error
	}
	ticked := make(chan answer, 1)
	tick := func(ctx context.Context) {
		i, err := e.Tick(ctx, app.TickRequest{Step: "open-kit"})
		ticked <- answer{i, err}
	}
	go tick(t.Context())
	<-came
	if _, err := e.Current(t.Context()); err != nil { // the server hangs just now
		t.Error(err)
	}
	var a answer
	select {
	case a = <-ticked:
	case <-time.After(20 * time.Second):
		t.Fatal("the probe has no end")
	}
	if a.err != nil {
		t.Fatal(a.err)
	}
	want(t, a.i, "open-kit", app.StepFailed)
	if got := a.i.Step("open-kit").Error; app.CodeOf(got) != app.CodeStorageOffline {
		t.Errorf("why: %v", got)
	}

	// the owner goes away while it hangs: nothing is held against anybody
	e.limit = time.Hour
	ctx, cancel := context.WithCancel(t.Context())
	go tick(ctx)
	<-came
	cancel()
	select {
	case a = <-ticked:
	case <-time.After(20 * time.Second):
		t.Fatal("the probe outlasts whoever asked")
	}
	if app.CodeOf(a.err) != app.CodeCanceled {
		t.Errorf("canceled: %v", a.err)
	}
}
