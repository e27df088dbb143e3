package screen

import "time"

// handRest is how long what can't be taken back has to have been seen, and the
// Enter key left alone, before that key fires it. A key that is held down
// repeats sooner than that.
const handRest = time.Second

// Hand keeps the Enter key from firing what can't be taken back by being held
// down, or pressed once too often on the way there.
type Hand struct {
	now          func() time.Time
	seen, struck time.Time
	before       time.Time // the stroke before the last
}

// NewHand returns a hand that has not struck yet.
func NewHand(env Env) *Hand { return &Hand{now: env.Now} }

// Appeared says that what can be fired came into view just now.
func (h *Hand) Appeared() { h.seen = h.now() }

// Struck says that Enter was pressed, or repeated, just now.
func (h *Hand) Struck() { h.before, h.struck = h.struck, h.now() }

// Fire does what the last stroke asks for, if that was meant.
func (h *Hand) Fire(do func()) {
	now := h.now()
	if now.Sub(h.seen).Abs() >= handRest && now.Sub(h.before).Abs() >= handRest {
		do()
	}
}
