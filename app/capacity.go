package app

import (
	"context"
	"time"
)

// Bounds of a capacity rehearsal.
const (
	// CapacitySlow is the time that 95 of 100 visitors are to be answered in.
	CapacitySlow = 3 * time.Second
	// CapacityCeiling is the most visitors a minute that are ever sent, and
	// CapacityUsual what is sent at most where nobody says.
	CapacityCeiling = 3000
	CapacityUsual   = 600
	// CapacityTime is the longest a rehearsal may last.
	CapacityTime = 15 * time.Minute
	// ProofAge is how long a proof of ownership is believed. It is looked for
	// again before each rehearsal.
	ProofAge = 30 * 24 * time.Hour
)

// ShopProof shows that the watched shop is the owner's.
type ShopProof struct {
	URL string `json:"url"` // of the shop
	// Token is what is to be placed on the site, as the file at File that holds
	// nothing else, or within the head of the page as Meta.
	Token string `json:"token"`
	File  string `json:"file"` // its address
	Meta  string `json:"meta"`
	// Proven is when it was found last; zero while it was not.
	Proven time.Time `json:"proven"`
	// Way is "file" or "meta".
	Way string `json:"way,omitempty"`
}

// CapacityRequest bounds a capacity rehearsal.
type CapacityRequest struct {
	// Ceiling is the most visitors a minute; 0 means [CapacityUsual].
	Ceiling int `json:"ceiling,omitempty"`
	// Agreed says that the owner has read what a rehearsal does; without it
	// none is begun: [CodeUsage].
	Agreed bool `json:"agreed"`
}

// CapacityRun is a rehearsal that was allowed.
type CapacityRun struct {
	Storefront StorefrontSettings
	Ceiling    int      // visitors a minute
	Progress   Progress // items are visitors
	// Stepped is told of each step that ended.
	Stepped func(CapacityStep)
	// Stop is asked about once a second; anything but "" ends the rehearsal.
	Stop func() CapacityEnd
	// Alive reports whether this computer's own connection is alive. It is asked
	// when the shop answers nobody any more; nil knows nothing.
	Alive func(ctx context.Context) bool
}

// CapacityEnd tells why a rehearsal ended. Its words are translations keyed
// "capacity.end.<end>".
type CapacityEnd string

// Why rehearsals end.
const (
	CapacityEndSlow     CapacityEnd = "slow"     // more than 5 of 100 visitors waited over 3 s
	CapacityEndErrors   CapacityEnd = "errors"   // visitors met errors
	CapacityEndCeiling  CapacityEnd = "ceiling"  // the shop stood all it was to be sent
	CapacityEndTime     CapacityEnd = "time"     // the time was over
	CapacityEndCanceled CapacityEnd = "canceled" //
	CapacityEndMoved    CapacityEnd = "moved"    // the shop began to send visitors elsewhere
	CapacityEndIncident CapacityEnd = "incident" // an incident was opened
	// CapacityEndLine says that nothing came back, and that nothing shows whether
	// it was the shop or this computer's own connection: it tells nothing of the
	// shop.
	CapacityEndLine CapacityEnd = "line"
)

// CapacityEnds lists every end.
func CapacityEnds() []CapacityEnd {
	return []CapacityEnd{
		CapacityEndSlow, CapacityEndErrors, CapacityEndCeiling, CapacityEndTime, CapacityEndCanceled, CapacityEndMoved, CapacityEndIncident, CapacityEndLine,
	}
}

// CapacityStep is one step of a rehearsal: so many visitors a minute, for a
// while.
type CapacityStep struct {
	Visitors int     `json:"visitors"` // a minute, that were sent; fewer than planned where this computer was too busy
	Asked    int     `json:"asked"`    // pages, in all
	Errors   int     `json:"errors"`   // of them
	Median   int64   `json:"median"`   // ms; what failed or never ended counts as long as it took
	P95      int64   `json:"p95"`      // ms
	Seconds  float64 `json:"seconds"`
}

// CapacityResult is what a rehearsal showed.
type CapacityResult struct {
	URL     string    `json:"url"`
	Started time.Time `json:"started"`
	Ended   time.Time `json:"ended"`
	Ceiling int       `json:"ceiling"`
	// Slow is the visitors a minute at which 5 of 100 waited over 3 s; 0 when
	// that was not reached.
	Slow int `json:"slow"`
	// Stood is the most visitors a minute that were answered well; 0 when none.
	Stood int            `json:"stood"`
	End   CapacityEnd    `json:"end"`
	Steps []CapacityStep `json:"steps"`
}

// Told reports whether the rehearsal came far enough to say anything.
func (r CapacityResult) Told() bool {
	return r.Slow > 0 || r.Stood > 0 || r.End == CapacityEndErrors && len(r.Steps) > 0
}

// CapacityReportRequest asks for the newest result as a file's bytes, to be
// sent to the host.
type CapacityReportRequest struct {
	Format   ReportFormat `json:"format"`
	Language string       `json:"language,omitempty"` // "" for the owner's
}

// CapacityService rehearses a peak day's visitors, on the owner's own hosting
// only. Platforms that others run are refused: [CodeCapacityHosted].
type CapacityService interface {
	// ProveShop looks for the proof that the watched shop is the owner's, and
	// says where to place it; not finding it is no error.
	ProveShop(ctx context.Context) (ShopProof, error)
	// StartCapacity sends visitors in steps until the shop is slow, errs, or
	// one of the bounds is reached. It never follows the shop elsewhere, and is
	// refused while an incident is open.
	StartCapacity(ctx context.Context, r CapacityRequest) (JobID, error)
	// Capacities lists results, newest first.
	Capacities(ctx context.Context) ([]CapacityResult, error)
	// CapacityReport returns the newest result, for the host.
	CapacityReport(ctx context.Context, r CapacityReportRequest) ([]byte, error)
}
