package screen

import "context"

// Ask runs work during which nothing else may be asked for; done is called
// when it went well, and again is what the failure's button does.
type Ask func(work func(ctx context.Context) error, done func(), again func())

// Worker is the usual [Ask]: it shows what goes wrong in a [Trouble].
type Worker struct {
	env     Env
	trouble *Trouble
	busy    bool

	// OnBusy is called when work began or ended.
	OnBusy func()
	// OnFail is called after a failure was shown.
	OnFail func()
}

// NewWorker returns a worker without work.
func NewWorker(env Env, t *Trouble) *Worker { return &Worker{env: env, trouble: t} }

// Busy reports whether work is under way.
func (w *Worker) Busy() bool { return w.busy }

// Ask is an [Ask].
func (w *Worker) Ask(work func(ctx context.Context) error, done func(), again func()) {
	if w.busy {
		return
	}
	w.set(true)
	w.trouble.Show(nil, nil)
	w.env.Go(func(ctx context.Context) func() {
		err := work(ctx)
		return func() {
			w.set(false)
			w.trouble.Show(err, again)
			switch {
			case err == nil:
				done()
			case w.OnFail != nil:
				w.OnFail()
			}
		}
	})
}

func (w *Worker) set(busy bool) {
	w.busy = busy
	if w.OnBusy != nil {
		w.OnBusy()
	}
}
