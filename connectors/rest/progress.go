package rest

import "kvart/app"

// shown is who is told how far a capture has come: perhaps nobody.
func shown(a app.Access) app.Progress {
	if a.Progress == nil {
		return quiet{}
	}
	return a.Progress
}

type quiet struct{}

func (quiet) Expect(int64, int64) {}
func (quiet) Done(int64, int64)   {}

// tally counts the records of one list. What is expected is what the shop says
// is left, and otherwise grows with what comes.
type tally struct {
	p                    app.Progress
	seen, want           int64
	toldSeen, toldWanted int64
}

// saw counts one record. What is expected is told at once, before hours go by.
func (t *tally) saw(r Record) {
	left := t.seen + int64(r.Left)
	if r.ID != "" {
		t.seen++
	}
	if t.want = max(t.want, t.seen, left); t.toldWanted == 0 {
		t.tell()
	}
}

// tell tells what has come since the last time.
func (t *tally) tell() {
	t.p.Expect(t.want-t.toldWanted, 0)
	t.p.Done(t.seen-t.toldSeen, 0)
	t.toldWanted, t.toldSeen = t.want, t.seen
}

// end settles the count: a list that had less than it said, or that goes on
// another time, keeps nobody waiting for the rest.
func (t *tally) end() {
	t.seen = max(t.seen, t.want)
	t.want = t.seen
	t.tell()
}
