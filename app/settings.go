package app

// Theme is how the window looks.
type Theme string

// Themes.
const (
	ThemeSystem Theme = "" // as the computer is set
	ThemeLight  Theme = "light"
	ThemeDark   Theme = "dark"
)

// Themes lists every theme.
func Themes() []Theme { return []Theme{ThemeSystem, ThemeLight, ThemeDark} }

// NoticeKind names a kind of notices, by the cause they are about.
type NoticeKind string

// The kinds. Those about backups that don't come, are changed beyond the
// ordinary or can be deleted are always shown: see [Mutable].
const (
	NoticeLate       NoticeKind = "late"
	NoticeFailed     NoticeKind = "failed"
	NoticeUnusual    NoticeKind = "unusual"
	NoticeLock       NoticeKind = "lock"
	NoticeRestore    NoticeKind = "restore" // one that went well; one that failed is always told
	NoticeDrill      NoticeKind = "drill"
	NoticeKit        NoticeKind = "kit"
	NoticeCopy       NoticeKind = "copy"
	NoticeStorefront NoticeKind = "storefront"
	NoticeExpires    NoticeKind = "expires" // the shop's certificate
	NoticeDomain     NoticeKind = "domain"
)

// NoticeKinds lists every kind, in the order they are shown.
func NoticeKinds() []NoticeKind {
	return []NoticeKind{
		NoticeLate, NoticeFailed, NoticeUnusual, NoticeLock,
		NoticeRestore, NoticeDrill, NoticeKit, NoticeCopy, NoticeStorefront, NoticeExpires, NoticeDomain,
	}
}

// Mutable reports whether the owner may do without a kind of notices.
func (k NoticeKind) Mutable() bool {
	switch k {
	case NoticeRestore, NoticeDrill, NoticeKit, NoticeCopy, NoticeStorefront, NoticeExpires, NoticeDomain:
		return true
	}
	return false
}

// PowerRule says what becomes of the quarters' backups while this computer runs
// on its battery, or on a connection that is paid for by how much is sent.
type PowerRule string

// Rules.
const (
	PowerGoOn PowerRule = "" // as always
	// PowerHosted backs up only shops on platforms that others run: their
	// records are small, and nothing else holds them.
	PowerHosted PowerRule = "hosted"
	PowerWait   PowerRule = "wait"
)

// PowerRules lists every rule.
func PowerRules() []PowerRule { return []PowerRule{PowerGoOn, PowerHosted, PowerWait} }

// Known is yes, no, or that nobody can tell.
type Known string

// What can be known.
const (
	KnownNot Known = "" // not known
	KnownYes Known = "yes"
	KnownNo  Known = "no"
)

// Power is what this computer lives on just now.
type Power struct {
	Battery Known `json:"battery,omitempty"` // it runs on its battery
	Metered Known `json:"metered,omitempty"` // the connection is paid for by how much is sent
}

// PowerCause is why backups wait.
type PowerCause string

// Causes.
const (
	CauseBattery PowerCause = "battery"
	CauseMetered PowerCause = "metered"
)

// Waiting says that backups wait by the owner's own rule.
type Waiting struct {
	Cause PowerCause `json:"cause"`
	Rule  PowerRule  `json:"rule"`
	// Sources are the names of those that wait.
	Sources []string `json:"sources"`
}

// Held returns the stricter of the rules that hold with a power, and its cause;
// what is not known holds nobody back.
func (s Settings) Held(p Power) (rule PowerRule, cause PowerCause) {
	if p.Battery == KnownYes {
		rule, cause = s.OnBattery, CauseBattery
	}
	if p.Metered == KnownYes && (rule == PowerGoOn || rule == PowerHosted && s.OnMetered == PowerWait) {
		rule, cause = s.OnMetered, CauseMetered
	}
	if rule == PowerGoOn {
		return PowerGoOn, ""
	}
	return rule, cause
}
