package agent

import (
	"context"
	"crypto/rand"
	"slices"
	"sync"
	"time"

	"kvart/app"
)

// keptJobs is how many ended jobs can still be asked for.
const keptJobs = 50

// jobs are the pieces of long work, running and lately ended.
type jobs struct {
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu     sync.Mutex
	closed bool
	list   []*job
}

// job is one piece of long work. Its exported state is read through snapshot.
type job struct {
	cancel context.CancelFunc
	done   chan struct{}
	poke   func()

	mu      sync.Mutex
	state   app.Job
	sources []app.SourceID
	behind  *counts // of the vault's, while a source shows its own
}

var _ app.Progress = (*job)(nil)

func (js *jobs) init(ctx context.Context) { js.ctx, js.cancel = context.WithCancel(ctx) }

// stop cancels every job and waits for them.
func (js *jobs) stop() {
	js.mu.Lock()
	js.closed = true
	js.mu.Unlock()
	js.cancel()
	js.wg.Wait()
}

// start runs work as a job. Its error becomes the job's.
func (a *Agent) start(kind app.JobKind, sources []app.Source, work func(context.Context, *job) error) (*job, error) {
	js := &a.jobs
	js.mu.Lock()
	defer js.mu.Unlock()
	if js.closed {
		return nil, app.Errorf(app.CodeGuardOffline, "start job", "shutting down")
	}
	ctx, cancel := context.WithCancel(js.ctx)
	j := &job{cancel: cancel, done: make(chan struct{}), poke: a.bus.poke}
	for _, s := range sources {
		j.sources = append(j.sources, s.ID)
	}
	j.state = app.Job{ID: app.JobID(rand.Text()[:12]), Kind: kind, State: app.JobRunning, Step: app.StepWaiting, Started: a.Now()}
	js.list = append(js.list, j)
	if len(js.list) > keptJobs {
		js.list = slices.DeleteFunc(js.list, func(o *job) bool { return o.ended() && o.snapshot().Ended.Before(a.Now().Add(-time.Hour)) })
	}
	js.wg.Add(1)
	go func() {
		defer js.wg.Done()
		defer cancel()
		err := work(ctx, j)
		j.end(a.Now(), err)
		if err != nil {
			a.Log.WarnContext(ctx, "Job failed", "job", kind, "error", err)
		} else {
			a.Log.InfoContext(ctx, "Job done", "job", kind, "seconds", a.Now().Sub(j.snapshot().Started).Seconds())
		}
		close(j.done)
		a.bus.poke()
	}()
	a.bus.poke()
	return j, nil
}

func (j *job) end(now time.Time, err error) {
	j.update(func(s *app.Job) {
		s.Ended, s.State = now, app.JobDone
		if err != nil {
			s.State, s.Error = app.JobFailed, app.AsError(err)
			if s.Error.Code == app.CodeCanceled {
				s.State = app.JobCanceled
			}
		}
	})
}

func (j *job) ended() bool {
	select {
	case <-j.done:
		return true
	default:
		return false
	}
}

func (j *job) update(f func(*app.Job)) {
	j.mu.Lock()
	f(&j.state)
	j.mu.Unlock()
	j.poke()
}

// at says what the job is doing now, with its counts from the start.
func (j *job) at(step app.Step, source string) {
	j.update(func(s *app.Job) {
		s.Step, s.Source = step, source
		s.Items, s.ItemsDone, s.Bytes, s.BytesDone = 0, 0, 0, 0
		j.behind = nil
	})
}

// Expect implements [app.Progress].
func (j *job) Expect(items, bytes int64) {
	j.update(func(s *app.Job) {
		if b := j.behind; b != nil {
			b.items += items
			b.bytes += bytes
			return
		}
		s.Items += items
		s.Bytes += bytes
	})
}

// Done implements [app.Progress].
func (j *job) Done(items, bytes int64) {
	j.update(func(s *app.Job) {
		if b := j.behind; b != nil {
			b.itemsDone += items
			b.byteDone += bytes
			return
		}
		s.ItemsDone += items
		s.BytesDone += bytes
	})
}

func (j *job) snapshot() app.Job {
	j.mu.Lock()
	defer j.mu.Unlock()
	s := j.state
	s.Runs, s.Drills = slices.Clone(s.Runs), slices.Clone(s.Drills)
	return s
}

func (a *Agent) job(id app.JobID) (*job, error) {
	a.jobs.mu.Lock()
	defer a.jobs.mu.Unlock()
	for _, j := range a.jobs.list {
		if j.snapshot().ID == id {
			return j, nil
		}
	}
	return nil, app.Errorf(app.CodeUsage, "find job", "no job %q", id)
}

// running returns the jobs that have not ended, oldest first.
func (a *Agent) running() []*job {
	a.jobs.mu.Lock()
	defer a.jobs.mu.Unlock()
	var l []*job
	for _, j := range a.jobs.list {
		if !j.ended() {
			l = append(l, j)
		}
	}
	return l
}

// Wait implements [app.JobService].
func (a *Agent) Wait(ctx context.Context, id app.JobID) (app.Job, error) {
	j, err := a.job(id)
	if err != nil {
		return app.Job{}, err
	}
	select {
	case <-j.done:
		return j.snapshot(), nil
	case <-ctx.Done():
		return j.snapshot(), app.Errorf(app.CodeCanceled, "wait for job", "%w", ctx.Err())
	}
}

// Cancel implements [app.JobService].
func (a *Agent) Cancel(_ context.Context, id app.JobID) error {
	j, err := a.job(id)
	if err != nil {
		return err
	}
	j.cancel()
	return nil
}

// makeWay cancels everything that can be done again later: on a bad day a
// restore does not wait for it.
func (a *Agent) makeWay() {
	for _, j := range a.running() {
		if k := j.snapshot().Kind; k != app.JobRestore && k != app.JobUndo {
			j.cancel()
		}
	}
}
