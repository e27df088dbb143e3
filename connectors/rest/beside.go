package rest

import "context"

// early is how far the sweep has come of a kind that is swept before what mentions
// it is read.
type early int

const (
	notEarly early = iota
	toSweep
	wasSwept
	notSwept // it failed, and is told
)

func (u *update) early(k Kind) early {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.ahead[k.Name]
}

// sweepAhead sweeps a kind whose changes are read when its turn comes.
func (u *update) sweepAhead(ctx context.Context, k Kind, s kindState) error {
	err := u.sweep(ctx, k, &s)
	u.mu.Lock()
	u.ahead[k.Name] = wasSwept
	if err != nil {
		u.ahead[k.Name] = notSwept
	}
	u.mu.Unlock()
	return u.settle(ctx, k, s, err)
}
