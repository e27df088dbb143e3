package agent

import (
	"context"
	"sync"

	"kvart/app"
)

// fetching shows on a job what a source does before its first item. It begins
// with the first word of it: most sources have nothing to tell. While it goes
// on, what the vault tells is counted but not shown, so that neither is taken
// for the other, and no earlier source's count is lost.
type fetching struct {
	j      *job
	source string

	mu    sync.Mutex
	begun bool
	ended bool
}

var _ app.Progress = (*fetching)(nil)

// counts are the counts of a job's step, and which step it is.
type counts struct {
	step                              app.Step
	source                            string
	items, itemsDone, bytes, byteDone int64
}

// Expect implements [app.Progress].
func (f *fetching) Expect(items, _ int64) { f.tell(items, 0) }

// Done implements [app.Progress].
func (f *fetching) Done(items, _ int64) { f.tell(0, items) }

func (f *fetching) tell(expect, done int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ended {
		return
	}
	begins := !f.begun
	f.begun = true
	f.j.update(func(s *app.Job) {
		if begins {
			f.j.behind = &counts{s.Step, s.Source, s.Items, s.ItemsDone, s.Bytes, s.BytesDone}
			s.Step, s.Source = app.StepFetch, f.source
			s.Items, s.ItemsDone, s.Bytes, s.BytesDone = 0, 0, 0, 0
		}
		s.Items += expect
		s.ItemsDone += done
	})
}

// end shows the job again as it was, with what has been counted meanwhile.
func (f *fetching) end() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ended = true
	if !f.begun {
		return
	}
	f.j.update(func(s *app.Job) {
		b := f.j.behind
		if b == nil {
			return // the job has gone on to another step
		}
		f.j.behind = nil
		s.Step, s.Source = b.step, b.source
		s.Items, s.ItemsDone, s.Bytes, s.BytesDone = b.items, b.itemsDone, b.bytes, b.byteDone
	})
}

// fetch captures a source, and shows on the job how far it has come, until end is
// called.
func (j *job) fetch(ctx context.Context, c app.Connector, a app.Access, since app.Marker) (out *app.Capture, end func(), err error) {
	f := &fetching{j: j, source: a.Source.Name}
	a.Progress = f
	out, err = c.Capture(ctx, a, since)
	return out, f.end, err
}

// present is fetch for what is there before a restore.
func (j *job) present(ctx context.Context, r app.Restorer, a app.Access) (*app.Capture, error) {
	f := &fetching{j: j, source: a.Source.Name}
	defer f.end()
	a.Progress = f
	return r.Present(ctx, a)
}
