package agent

import (
	"context"
	"math"
	"time"

	"kvart/app"
	"kvart/app/agent/journal"
)

const (
	// useSpan is how far back growth is measured, and useLeast over how long at
	// the least before it is believed.
	useSpan  = 28 * 24 * time.Hour
	useLeast = 3 * 24 * time.Hour
	// farAhead is beyond what a forecast is worth.
	farAhead = 10 * 365 * 24 * time.Hour
	// littleRoom is when the owner is told: full in a month at this pace, or a
	// fifth of what is stored.
	littleTime  = 30 * 24 * time.Hour
	littleShare = 0.2
)

// noteUse remembers how much is stored today, and how the vault locks. What is
// open goes on with the lock it knew, so a vault whose lock has changed is let
// go, to be opened anew.
func (a *Agent) noteUse(ctx context.Context, v app.Vault) error {
	d, ok := v.(app.VaultDescriber)
	if !ok {
		return nil
	}
	info, err := d.Describe(ctx)
	if err != nil {
		return err
	}
	a.mu.Lock()
	a.info = &info
	a.mu.Unlock()
	if info.Lock != a.Store.Document().Vault.Lock {
		if err := a.Store.Update(func(d *Document) error { d.Vault.Lock = info.Lock; return nil }); err != nil {
			return err
		}
		if err := a.closeVault(ctx); err != nil {
			a.Log.WarnContext(ctx, "Vault not closed", "error", err)
		}
	}
	if info.Bytes < 0 {
		return nil
	}
	return a.Journal.AddUse(ctx, journal.Use{At: a.Now(), Bytes: info.Bytes})
}

// use says how full the storage is and, at the pace of the last weeks, when it
// will be.
func (a *Agent) use(ctx context.Context, info *app.VaultInfo, now time.Time) (*app.StorageUse, error) {
	if info == nil || info.Bytes < 0 {
		return nil, nil
	}
	past, err := a.Journal.Uses(ctx, now.Add(-useSpan))
	if err != nil {
		return nil, err
	}
	u := app.StorageUse{Bytes: info.Bytes, Free: info.Free, PerDay: growth(past)}
	if u.PerDay > 0 && u.Free >= 0 {
		if left := time.Duration(math.Min(float64(u.Free)/float64(u.PerDay), 1e5) * 24 * float64(time.Hour)); left < farAhead {
			u.FullAt = now.Add(left)
		}
	}
	peak, err := a.nextPeak(now)
	if err == nil && peak != nil && peak.From.Sub(now) <= app.ReadySoon {
		u.Peak, err = a.forecast(ctx, *peak, info, now)
	}
	return &u, err
}

// growth is the slope, in bytes a day, of the line that lies closest to what
// was stored; 0 while too little is known, or when it shrinks.
func growth(past []journal.Use) int64 {
	slope, _ := slopeOf(past)
	return slope
}

// slopeOf is growth, and whether enough is known to tell.
func slopeOf(past []journal.Use) (perDay int64, known bool) {
	if len(past) < 2 || past[len(past)-1].At.Sub(past[0].At) < useLeast {
		return 0, false
	}
	var x, y, xx, xy float64
	for _, u := range past {
		d := u.At.Sub(past[0].At).Hours() / 24
		x, y, xx, xy = x+d, y+float64(u.Bytes), xx+d*d, xy+d*float64(u.Bytes)
	}
	n := float64(len(past))
	slope := (n*xy - x*y) / (n*xx - x*x)
	if math.IsNaN(slope) {
		return 0, false
	}
	return int64(max(slope, 0)), true
}

// little reports whether the room left should worry the owner.
func little(u *app.StorageUse, now time.Time) bool {
	if u == nil || u.Free < 0 {
		return false
	}
	if u.Peak != nil && u.Peak.Bytes > u.Free {
		return true
	}
	return !u.FullAt.IsZero() && u.FullAt.Sub(now) < littleTime || float64(u.Free) < littleShare*float64(u.Bytes)
}
