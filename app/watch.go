package app

import (
	"context"
	"time"
)

// StorefrontSettings say which page is watched.
type StorefrontSettings struct {
	URL string `json:"url"`
	// Word has to be on the page, in any case of letters; "" for none.
	Word string `json:"word,omitempty"`
}

// StorefrontState tells what a look at the shop showed.
type StorefrontState string

// States of the storefront.
const (
	StorefrontUp   StorefrontState = "up"
	StorefrontDown StorefrontState = "down"
	// StorefrontUnknown means that it did not answer, and that nothing else did
	// that would show this computer's own connection to be alive.
	StorefrontUnknown StorefrontState = "unknown"
)

// StorefrontProbe is one look at the shop.
type StorefrontProbe struct {
	At     time.Time       `json:"at"`
	State  StorefrontState `json:"state"`
	Millis int64           `json:"millis"`
	Status int             `json:"status,omitempty"` // of HTTP
	// Where is the address that answered, after redirects, without its query.
	Where string `json:"where,omitempty"`
	// CertificateUntil is when the certificate expires; zero without one.
	CertificateUntil time.Time `json:"certificateUntil"`
	Error            *Error    `json:"error,omitempty"`
	// Platform is the name of the platform that others run the shop on; "" where
	// nothing shows one.
	Platform string `json:"platform,omitempty"`
	// Proven reports that the answer itself shows the connection to be alive:
	// it came from the shop's own server, by its certificate.
	Proven bool `json:"-"`
}

// Outage is a time in which the shop did not answer.
type Outage struct {
	Begin time.Time `json:"begin"`
	End   time.Time `json:"end"` // zero while it lasts
	Error *Error    `json:"error,omitempty"`
	// Gap is how much of it nobody looked, the computer being off or off line.
	Gap time.Duration `json:"gap,omitempty"`
	// Looked is when it was seen to last.
	Looked time.Time `json:"looked"`
}

// MonthUptime is how a month went. Only looks count: what nobody saw is Unknown.
type MonthUptime struct {
	Month   string `json:"month"` // "2026-11"
	Up      int64  `json:"up"`    // looks
	Down    int64  `json:"down"`
	Unknown int64  `json:"unknown"`
	// Millis is how long the answers took, on average.
	Millis int64 `json:"millis"`
}

// Share returns the share of looks that found the shop up, from 0 to 1, and
// whether anything is known.
func (m MonthUptime) Share() (share float64, known bool) {
	if m.Up+m.Down == 0 {
		return 0, false
	}
	return float64(m.Up) / float64(m.Up+m.Down), true
}

// Uptime is the record of the shop's storefront.
type Uptime struct {
	Months  []MonthUptime `json:"months"`  // newest first
	Outages []Outage      `json:"outages"` // newest first
	Longest *Outage       `json:"longest,omitempty"`
}

// StorefrontStatus is how the watched page stands.
type StorefrontStatus struct {
	URL    string          `json:"url"`
	Last   StorefrontProbe `json:"last"`
	Outage *Outage         `json:"outage,omitempty"` // that lasts
	// Warning is worth seeing to while the shop answers: a certificate that
	// expires soon.
	Warning *Error `json:"warning,omitempty"`
	// Domain is how long the address is the owner's; nil while nobody asked, or
	// nobody is to be asked.
	Domain *DomainStatus `json:"domain,omitempty"`
	// Month is the current month.
	Month MonthUptime `json:"month"`
}

// DomainStatus is what the registry of a domain said of it.
type DomainStatus struct {
	Name  string    `json:"name"`  // as it is registered: "kopp.se"
	Until time.Time `json:"until"` // when it expires; zero when that is not known
	At    time.Time `json:"at"`    // when the registry was asked
	// Error is why it is not known; nil also where the registry does not tell.
	Error *Error `json:"error,omitempty"`
	// Warning stands in the last [DomainSoon] before it expires.
	Warning *Error `json:"warning,omitempty"`
}

// When the owner is told that a domain expires, and told again, as an alarm.
const (
	DomainSoon = 30 * 24 * time.Hour
	DomainLast = 7 * 24 * time.Hour
)

// ChannelKind tells how a channel carries alerts.
type ChannelKind string

// Kinds of channels.
const (
	ChannelMail  ChannelKind = "mail"
	ChannelNtfy  ChannelKind = "ntfy"
	ChannelSlack ChannelKind = "slack"
	ChannelHook  ChannelKind = "webhook" // any address that takes a JSON document
)

// ChannelKinds lists every kind.
func ChannelKinds() []ChannelKind {
	return []ChannelKind{ChannelMail, ChannelNtfy, ChannelSlack, ChannelHook}
}

// Channel is a way to reach the owner away from this computer. Addresses of
// webhooks open them to everybody, so they are among the secrets, as
// "<name>.url"; a mail server's password is "<name>.password", a token of ntfy
// "<name>.token".
type Channel struct {
	Name string      `json:"name"`
	Kind ChannelKind `json:"kind"`
	// Of mail:
	Host string   `json:"host,omitempty"`
	Port int      `json:"port,omitempty"` // 0: 587, or 465 with tls
	User string   `json:"user,omitempty"`
	From string   `json:"from,omitempty"`
	To   []string `json:"to,omitempty"`
	// TLS is "starttls", also when empty, or "tls". Nothing is sent in the clear.
	TLS string `json:"tls,omitempty"`
	// Where shows the owner where a webhook goes: its host.
	Where string `json:"where,omitempty"`
}

// OwnDay is a peak day of the owner's own.
type OwnDay struct {
	Name string `json:"name"`
	// From and To are days of the local calendar, "2026-05-02"; without a year,
	// "05-02", every year. To may be empty.
	From string `json:"from"`
	To   string `json:"to,omitempty"`
}

// PeakDay is a time in which the shop can stand an outage least.
type PeakDay struct {
	// Code names one of the calendar's; its words are translations keyed
	// "peak.<code>". "" for the owner's own, which has a Name.
	Code string    `json:"code,omitempty"`
	Name string    `json:"name,omitempty"`
	From time.Time `json:"from"` // midnight
	To   time.Time `json:"to"`   // midnight after the last day
}

// WatchSettings are what the owner chose about being watched over.
type WatchSettings struct {
	Storefront *StorefrontSettings `json:"storefront,omitempty"`
	// Heartbeat shows where the heartbeat goes: its host. The address itself is
	// the secret "heartbeat".
	Heartbeat string    `json:"heartbeat,omitempty"`
	Channels  []Channel `json:"channels,omitempty"`
	// Canaries names the folders, by source, in which Kvart may keep a file of
	// its own.
	Canaries []string `json:"canaries,omitempty"`
	// Country, "se", chooses the calendar of peak days.
	Country string   `json:"country,omitempty"`
	OwnDays []OwnDay `json:"ownDays,omitempty"`
	// NoPeakPace keeps to ordinary quarters over peak days too; without it
	// backups are made every [PeakLength] then.
	NoPeakPace bool `json:"noPeakPace,omitempty"`
	// NoDomain asks nobody when the watched shop's domain expires; without it
	// the domain's registry is asked once a day.
	NoDomain bool `json:"noDomain,omitempty"`
}

// HeartbeatKey is the key of the heartbeat's address among the secrets of a
// [WatchRequest].
const HeartbeatKey = "heartbeat"

// WatchRequest changes the settings; secrets that are not given stay, those
// that are given empty go.
type WatchRequest struct {
	Settings WatchSettings `json:"settings"`
	Secrets  Secrets       `json:"-"`
}

// Carried implements [SecretBearer].
func (r *WatchRequest) Carried() *Secrets { return &r.Secrets }

// AlertState tells what an alert says of its cause.
type AlertState string

// States of an alert.
const (
	AlertRaised AlertState = "raised"
	AlertAgain  AlertState = "again" // it still stands
	AlertSolved AlertState = "solved"
	AlertTest   AlertState = "test"
)

// Alert is a message for the owner, in the owner's words.
type Alert struct {
	Cause string     `json:"cause"`
	State AlertState `json:"state"`
	Shop  string     `json:"shop,omitempty"`
	Title string     `json:"title"`
	Text  string     `json:"text"`
	At    time.Time  `json:"at"`
	Alarm bool       `json:"alarm"`
}

// ChannelStatus is how a channel does.
type ChannelStatus struct {
	Name string      `json:"name"`
	Kind ChannelKind `json:"kind"`
	// Waiting is how many alerts have yet to be delivered.
	Waiting int       `json:"waiting,omitempty"`
	Sent    time.Time `json:"sent"`            // the last that was delivered
	Error   *Error    `json:"error,omitempty"` // why the last try failed
}

// WatchStatus is the part of a [Status] about being watched over.
type WatchStatus struct {
	Storefront *StorefrontStatus `json:"storefront,omitempty"`
	Channels   []ChannelStatus   `json:"channels,omitempty"`
	// Heartbeat is the last one that was taken; HeartbeatError why one was not.
	Heartbeat      time.Time `json:"heartbeat"`
	HeartbeatError *Error    `json:"heartbeatError,omitempty"`
	// Peak is the next peak day, or the one that is on.
	Peak *PeakDay `json:"peak,omitempty"`
	// DenseUntil is until when backups are made every [PeakLength]; zero on
	// ordinary days.
	DenseUntil time.Time `json:"denseUntil"`
}

// AnswerRequest answers "was this you?".
type AnswerRequest struct {
	Source string `json:"source"` // name or ID
	Yes    bool   `json:"yes"`
}

// WatchService watches over the shop.
type WatchService interface {
	// AnswerUnusual answers the open question about a source;
	// [CodeNothingAsked] when there is none. Yes makes the like ordinary and
	// lets go what was kept for it; no keeps it and opens [PlaybookHacked].
	AnswerUnusual(ctx context.Context, r AnswerRequest) (Unusual, error)
	// Unusuals lists unusual changes, newest first.
	Unusuals(ctx context.Context) ([]Unusual, error)
	WatchSettings(ctx context.Context) (WatchSettings, error)
	SetWatch(ctx context.Context, r WatchRequest) (WatchSettings, error)
	// TestAlert sends a test to one channel and waits for it to be taken.
	TestAlert(ctx context.Context, channel string) error
	// TestStorefront looks at the shop now; [CodeStorefrontNone] when none is
	// set up. A shop that is down is no error of the call.
	TestStorefront(ctx context.Context) (StorefrontProbe, error)
	Uptime(ctx context.Context) (Uptime, error)
}

// Proof tells what drills have shown of a source's backups.
type Proof string

// Proofs.
const (
	ProofNone   Proof = ""       // there is nothing to prove yet
	ProofNever  Proof = "never"  // there is, and no drill was made
	ProofProven Proof = "proven" // restored and checked within 30 days
	ProofFailed Proof = "failed" // the last drill failed
	ProofOld    Proof = "old"    // the last drill that passed is too old
	// ProofChanged means that settings, storage or password were changed since:
	// what was proven was something else.
	ProofChanged Proof = "changed"
)

// ProofService tells what was proven, and when it will be again.
type ProofService interface {
	// Drills lists the drills of a source, or of all with "", newest first.
	Drills(ctx context.Context, source string) ([]DrillResult, error)
	// PeakDays lists the peak days of the next year, the next one first.
	PeakDays(ctx context.Context) ([]PeakDay, error)
}
