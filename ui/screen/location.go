package screen

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"kvart/app"
)

// Keys of a storage's fields that pages of their own ask for.
const (
	lockModeKey = "lock_mode"
	lockDaysKey = "lock_days"
	hostKeyKey  = "host_key"
)

// usualLock is how long a lock lasts unless the owner says otherwise, in days.
const usualLock = 30

// Location is what the owner said so far about where backups are to lie. What
// was said of one kind is kept while another is looked at. It knows no window.
type Location struct {
	Kind  app.Kind
	Kinds []app.KindSpec // those there are
	// Existing is wanted: a place without backups is none.
	Existing bool
	// Report is of exactly these settings; nil while nothing is proven.
	Report *app.StorageReport
	// Stranger is a server met for the first time, to be confirmed.
	Stranger *app.Error

	settings map[app.Kind]map[string]string
	secrets  map[app.Kind]app.Secrets
	lock     app.LockSettings
	held     app.LockMode // the lock that the place was seen to keep to
	accepted bool         // the owner read what a compliance lock means
	deciding bool         // the owner is reading it
}

// NewLocation returns a location of which nothing is said.
func NewLocation() *Location {
	l := &Location{settings: map[app.Kind]map[string]string{}, secrets: map[app.Kind]app.Secrets{}}
	l.unlock()
	return l
}

// unlock forgets what was said about the lock: the ordinary one is chosen in
// advance.
func (l *Location) unlock() {
	l.lock = app.LockSettings{Mode: app.LockGovernance, Days: usualLock}
	l.held, l.accepted, l.deciding = app.LockNone, false, false
}

func (l *Location) unproven() {
	l.Report, l.Stranger = nil, nil
	l.unlock()
}

// Choose chooses a kind of storage.
func (l *Location) Choose(k app.Kind) {
	if k != l.Kind {
		l.Kind = k
		l.unproven()
	}
}

// Fill takes what was typed; nothing is proven any more.
func (l *Location) Fill(settings map[string]string, secrets app.Secrets) {
	if maps.Equal(settings, l.settings[l.Kind]) && maps.Equal(secrets, l.secrets[l.Kind]) {
		return
	}
	l.settings[l.Kind], l.secrets[l.Kind] = settings, secrets
	l.unproven()
}

// Filled returns what was typed about the kind that is chosen.
func (l *Location) Filled() Filling {
	return Filling{Settings: l.settings[l.Kind], Secrets: l.secrets[l.Kind], Hide: []string{lockModeKey, lockDaysKey}}
}

// Spec returns the kind that is chosen.
func (l *Location) Spec() (app.KindSpec, bool) {
	i := slices.IndexFunc(l.Kinds, func(k app.KindSpec) bool { return k.Kind == l.Kind })
	if i < 0 {
		return app.KindSpec{}, false
	}
	return l.Kinds[i], true
}

// Proved takes in what a test found. A place with somebody else's data is
// refused.
func (l *Location) Proved(r app.StorageReport) error {
	l.Report, l.Stranger = nil, nil
	if r.State == app.LocationForeign {
		return app.Errorf(app.CodeStorageForeign, "prove storage", "the location is not empty").With("where", WhereOf(l.settings[l.Kind]))
	}
	if l.Existing && r.State != app.LocationVault {
		return app.Errorf(app.CodeVaultMissing, "prove storage", "no vault there").With("where", WhereOf(l.settings[l.Kind]))
	}
	l.Report = &r
	return nil
}

// Holds reports whether backups lie there already.
func (l *Location) Holds() bool { return l.Report != nil && l.Report.State == app.LocationVault }

// Confirm takes the stranger for the owner's own server from now on.
func (l *Location) Confirm() {
	if l.Stranger == nil {
		return
	}
	settings := maps.Clone(l.settings[l.Kind])
	if settings == nil {
		settings = map[string]string{}
	}
	settings[hostKeyKey] = l.Stranger.Args[hostKeyKey]
	l.settings[l.Kind] = settings
	l.unproven()
}

// offers reports whether a kind of lock can be asked for.
func (l *Location) offers(mode app.LockMode) bool {
	spec, _ := l.Spec()
	f, ok := spec.Field(lockModeKey)
	return ok && slices.Contains(f.Choices, string(mode))
}

// CanLock reports whether a lock can be chosen: the place that was proved has
// one, and the backups are only about to be made.
func (l *Location) CanLock() bool {
	return l.Report != nil && l.Report.CanLock && !l.Holds() && (l.offers(app.LockGovernance) || l.offers(app.LockCompliance))
}

// chosen returns the lock as it was chosen, as far as the kind offers it.
func (l *Location) chosen() app.LockSettings {
	if !l.offers(l.lock.Mode) {
		return app.LockSettings{}
	}
	return l.lock
}

// Lock chooses a lock. One that nobody can undo needs [Location.Accept].
func (l *Location) Lock(mode app.LockMode, days int) {
	l.lock = app.LockSettings{Mode: mode, Days: max(days, app.MinLockDays)}
	l.accepted = false
}

// Accept chooses the lock that nobody can undo.
func (l *Location) Accept(days int) {
	l.Lock(app.LockCompliance, days)
	l.accepted, l.deciding = true, false
}

// Accepted reports whether the owner read what the chosen lock means, where
// that is needed.
func (l *Location) Accepted() bool { return l.lock.Mode == app.LockCompliance && l.accepted }

// Ready reports whether the way goes on from here: the place is proven, and so
// is its lock where one is chosen.
func (l *Location) Ready() bool {
	if l.Report == nil || l.deciding {
		return false
	}
	mode := l.chosen().Mode
	return !l.CanLock() || mode == app.LockNone || mode == l.held && (mode != app.LockCompliance || l.accepted)
}

// Locked reports whether the lock that is chosen was seen to hold.
func (l *Location) Locked() bool {
	return l.Ready() && l.CanLock() && l.held != app.LockNone && l.chosen().Mode == l.held
}

// bare returns the location without a lock.
func (l *Location) bare() app.StorageSpec {
	return app.StorageSpec{Kind: l.Kind, Settings: maps.Clone(l.settings[l.Kind]), Secrets: maps.Clone(l.secrets[l.Kind])}
}

// locked returns the location with the lock that is chosen; false when none is.
func (l *Location) locked() (app.StorageSpec, bool) {
	s, lock := l.bare(), l.chosen()
	if lock.Mode == app.LockNone {
		return s, false
	}
	if s.Settings == nil {
		s.Settings = map[string]string{}
	}
	s.Settings[lockModeKey], s.Settings[lockDaysKey] = string(lock.Mode), strconv.Itoa(lock.Days)
	return s, true
}

// Storage returns the location, with the lock where there can be one.
func (l *Location) Storage() app.StorageSpec {
	if !l.CanLock() {
		return l.bare()
	}
	s, _ := l.locked()
	return s
}

// Forget drops the secrets.
func (l *Location) Forget() { l.secrets = map[app.Kind]app.Secrets{} }

// choicesOf returns the values an error offers.
func choicesOf(e *app.Error) []string {
	var out []string
	for _, c := range strings.Split(e.Args["choices"], ",") {
		if c = strings.TrimSpace(c); c != "" {
			out = append(out, c)
		}
	}
	return out
}
