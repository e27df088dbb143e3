package watch

import (
	"context"
	"errors"
	"net"
	"runtime"
	"slices"
	"syscall"
	"time"

	"kvart/app"
)

// quiet is for how long nobody is answered before it is asked whether this
// computer's own connection is alive: shorter than a visitor counts as slow by,
// for an answer that had just come when it broke.
const quiet = app.CapacitySlow / 2

// line is what a step learned of this computer's own connection: a shop must not
// be called too weak because nothing left the house.
type line struct {
	heard  time.Time // when the shop, or its host, answered last
	silent bool      // somebody gave up since then without an answer
	own    bool      // and this computer said that it was its own fault
}

// doubt is what is known of whose fault it is that visitors wait or fail.
type doubt int

const (
	shopFault doubt = iota
	noAnswer        // nobody is answered any more, and nothing shows why
	ownFault
)

// note counts how a visit ended: err says why nobody answered, nil when somebody
// did.
func (l *line) note(err error, now time.Time) {
	if err == nil || answered(err) {
		l.heard, l.silent, l.own = now, false, false
		return
	}
	l.silent = true
	l.own = l.own || ownFailure(err)
}

// doubt says what is known at the end of a step that began at some time, in
// which a visitor has waited for so long. Answers that come, if late, show that
// the connection is alive.
func (l *line) doubt(began, now time.Time, waited time.Duration) doubt {
	heard := l.heard
	if heard.Before(began) {
		heard = began
	}
	switch {
	case l.own:
		return ownFault
	case l.silent, waited > quiet && now.Sub(heard) > quiet:
		return noAnswer
	}
	return shopFault
}

// answered reports whether a failure shows that somebody at the other end said
// something, if only that nobody listens there.
func answered(err error) bool {
	var netErr net.Error
	var op *net.OpError
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &netErr) && netErr.Timeout(), ownFailure(err):
		return false
	case is(err, syscall.ECONNREFUSED, 10061):
		return true
	case errors.As(err, &op) && op.Op == "dial":
		return false
	}
	return true
}

// ownFailure reports whether a connection was never tried, for a reason on this
// side: no network, no name server, no room for another connection.
func ownFailure(err error) bool {
	var dns *net.DNSError
	return errors.As(err, &dns) || is(err, syscall.ENETUNREACH, 10051) || is(err, syscall.ENETDOWN, 10050) ||
		is(err, syscall.EADDRNOTAVAIL, 10049) || is(err, syscall.ENOBUFS, 10055) || is(err, syscall.EMFILE, 10024)
}

// is reports whether an error is one of the system's, whose number on Windows is
// another.
func is(err error, unix, windows syscall.Errno) bool {
	var no syscall.Errno
	return errors.As(err, &no) && slices.Contains([]syscall.Errno{unix, windows}, no) && (no == unix || runtime.GOOS == "windows")
}
