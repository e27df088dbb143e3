package history

import (
	"context"
	"time"

	"kvart/app"
	"kvart/ui/history/near"
)

// lane is a row of questions of which only the newest one counts.
type lane struct {
	asked int // answers to older questions are late
	busy  bool
	since time.Time
	stop  chan struct{}
	again func() // asks the last question once more
}

// stopAsking ends the question that is under way.
func (l *lane) stopAsking() {
	l.asked++
	l.busy = false
	if l.stop != nil {
		close(l.stop)
		l.stop = nil
	}
}

// load asks the guard; use takes the answer unless another question was asked
// meanwhile.
func (s *Screen) load(l *lane, ask func(ctx context.Context) error, use func(), again func()) {
	l.stopAsking()
	mine, stop := l.asked, make(chan struct{})
	l.busy, l.stop, l.again, l.since = true, stop, again, s.env.Now()
	if l == &s.pane {
		s.st.Stopped, s.st.Failed, s.st.Slow = false, false, false
	}
	s.draw()
	s.env.Go(func(ctx context.Context) func() {
		ctx, end := near.Until(ctx, stop)
		defer end()
		err := ask(ctx)
		return func() {
			if mine != l.asked {
				return
			}
			l.stopAsking()
			s.show(l, err, again)
			if err == nil {
				use()
			}
			s.draw()
		}
	})
}

// show tells a failure, nil taking away what was told.
func (s *Screen) show(l *lane, err error, again func()) {
	if app.CodeOf(err) == app.CodePointUnknown {
		again = func() { s.leave(); s.loadDay() } // it went meanwhile
	}
	if l == &s.pane {
		s.st.Failed = err != nil
	}
	if err == nil && s.blamed != l {
		return // another's failure stands
	}
	s.blamed = l
	if err == nil {
		s.blamed = nil
	}
	s.trouble.Show(err, again)
}

// cancel ends the question the owner does not want to wait for; nothing was
// changed by it.
func (s *Screen) cancel() {
	switch {
	case s.saving != nil:
		s.stopSaving()
		s.draw()
		return
	case s.records.Busy() && !s.pane.busy:
		s.records.Stop()
		s.st.Left = 0
	}
	s.pane.stopAsking()
	s.st.Stopped = true
	s.draw()
}

// resume goes on where the owner stopped.
func (s *Screen) resume() {
	s.st.Stopped = false
	switch {
	case s.st.Pane == paneShelf:
		s.records.Retry()
		s.draw()
	case s.pane.again != nil:
		s.pane.again()
	}
}
