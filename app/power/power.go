// Package power tells what this computer lives on: its battery, and a
// connection that is paid for by how much is sent. What the system does not say
// is not known. It decides nothing.
package power

import (
	"context"
	"time"

	"kvart/app"
)

// patience is how long the system is waited for.
const patience = time.Second

// Gauge looks at this computer. Its zero value is not ready: see [New].
type Gauge struct {
	battery func() app.Known
	metered func(ctx context.Context) app.Known
}

// New returns a gauge of this computer.
func New() *Gauge { return &Gauge{battery: battery, metered: metered} }

// Look returns what is known just now, within a second.
func (g *Gauge) Look(ctx context.Context) app.Power {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return app.Power{Battery: g.battery(), Metered: g.metered(ctx)}
}
