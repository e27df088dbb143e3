package agent

import (
	"context"
	"iter"
	"time"

	"kvart/app"
)

// sourceRun is one source's part of a run.
type sourceRun struct {
	source    app.Source
	started   time.Time
	connector app.Connector
	access    app.Access
	capture   *app.Capture
	result    app.RunResult
	saved     app.SaveResult
	watch     app.RunWatch // nil where nobody watches
}

func (r *sourceRun) fail(err error) {
	r.result.State, r.result.Error = app.RunFailed, app.AsError(err)
}

// items captures the source when the vault begins to read it. The marker goes
// along: a folder that was there and is empty now is noticed by it.
func (r *sourceRun) items(ctx context.Context, j *job, marker app.Marker) iter.Seq2[app.Item, error] {
	return func(yield func(app.Item, error) bool) {
		access := r.access
		access.Early = true
		c, end, err := j.fetch(ctx, r.connector, access, marker)
		if err == nil && c.Idle {
			// moved at the first look and back by now: capture it all the same
			end()
			c, end, err = j.fetch(ctx, r.connector, access, "")
		}
		defer end()
		if err != nil {
			yield(app.Item{}, err)
			return
		}
		if !c.Early {
			end()
		}
		r.capture = c
		c.Items(func(i app.Item, err error) bool {
			if err == nil {
				i = r.watched(i)
			}
			return yield(i, err)
		})
	}
}

// keep takes over what became of the source's request.
func (r *sourceRun) keep(s app.SaveResult) {
	if s.Err != nil {
		r.fail(s.Err)
		return
	}
	r.saved = s
	r.result = app.RunResult{
		Source: r.source.Name, State: app.RunDone, Point: s.Point.ID, Bytes: s.Point.Bytes, Files: s.Point.Files,
		BytesRead: s.BytesRead, BytesUploaded: s.BytesUploaded, Problems: s.Problems,
	}
	if s.Point.Stats[app.StatDamaged] > 0 {
		// kept, since it may be all there is, but the shop is not safe with it
		r.result.Problems = append(r.result.Problems, app.Problem{Code: app.CodeSourceDamaged})
	}
}

func (r *sourceRun) close() error {
	if r.capture == nil || r.capture.Close == nil {
		return nil
	}
	return r.capture.Close()
}

// stats returns the counts of what was captured.
func (r *sourceRun) stats() app.Stats {
	if r.capture == nil || r.capture.Stats == nil {
		return nil
	}
	return r.capture.Stats()
}
