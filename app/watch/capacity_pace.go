package watch

import (
	"math"
	"time"
)

// pace says when the next visitor may be sent: evenly, and never more within any
// second than the step's rate allows, across steps too. What a busy computer was
// late with is not made up for: the shop would be met by a crowd that nobody
// agreed to.
type pace struct {
	every  time.Duration
	second int         // visitors within a second, at the most
	due    time.Time   // when the next was to be sent
	sent   []time.Time // the last ones
}

// begin sets the rate of a step that begins now.
func (p *pace) begin(perMinute int, now time.Time) {
	p.every = time.Minute / time.Duration(perMinute)
	p.second = int(math.Ceil(float64(perMinute) / 60))
	p.due = p.earliest(now)
}

// earliest returns the first moment from at on that another may be sent within
// its second.
func (p *pace) earliest(at time.Time) time.Time {
	if n := len(p.sent) - p.second; n >= 0 {
		if free := p.sent[n].Add(time.Second); at.Before(free) {
			return free
		}
	}
	return at
}

// went notes that one was sent now.
func (p *pace) went(now time.Time) {
	p.sent = append(p.sent, now)
	if n := len(p.sent) - 2*p.second; n > 0 {
		p.sent = p.sent[n:]
	}
	p.due = p.due.Add(p.every)
	if p.due.Before(now) { // by more than the time between two
		p.due = now.Add(p.every)
	}
	p.due = p.earliest(p.due)
}

// rate returns how many a minute were sent in a step: what was planned, unless
// this computer was too busy to keep near it.
func rate(planned, sent int, took time.Duration) int {
	if sent == 0 || took <= 0 {
		return planned
	}
	real := int(math.Round(float64(sent) / took.Minutes()))
	if float64(real) >= nearRate*float64(planned) {
		return planned
	}
	return real
}

// nearRate is the share of what was planned that counts as all of it.
const nearRate = 0.95
