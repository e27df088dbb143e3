package rest

import (
	"time"

	"kvart/app"
)

// lookLasts is how long a look at the shop serves the capture that follows it.
const lookLasts = time.Minute

// look is a capture that was closed unread: the agent's question whether
// anything moved.
type look struct {
	at      time.Time
	marker  app.Marker
	healthy bool
}

// justLooked returns the look that brought the mirror up to date a moment ago,
// for a capture that nobody read; nil when there was none. It does so once.
func (e *Engine) justLooked(id app.SourceID, now time.Time) *look {
	e.mu.Lock()
	defer e.mu.Unlock()
	l, ok := e.looked[id]
	delete(e.looked, id)
	if age := now.Sub(l.at); !ok || age < 0 || age >= lookLasts {
		return nil
	}
	return &l
}

// remember keeps what a look found for the capture that follows it.
func (e *Engine) remember(id app.SourceID, l look) {
	if l.marker == "" {
		return // it came to nothing
	}
	l.at = e.o.Now()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.looked[id] = l
}
