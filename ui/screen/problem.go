package screen

import (
	"slices"

	"fyne.io/fyne/v2"

	"kvart/app"
	"kvart/assets"
	"kvart/ui/widgets"
)

// Remedy is what a problem's one button does.
type Remedy string

// Remedies.
const (
	RemedyRetry     Remedy = "retry"     // try once more what went wrong
	RemedySetup     Remedy = "setup"     // set Kvart up
	RemedyReconnect Remedy = "reconnect" // open the vault anew
	RemedySources   Remedy = "sources"   // look at the sources
	RemedySource    Remedy = "source"    // enter a source's secrets again
	RemedyChange    Remedy = "change"    // change how a source is reached
	RemedyRecover   Remedy = "recover"   // bring something back
	RemedyReopen    Remedy = "reopen"    // open the vault with its kit
	RemedyKit       Remedy = "kit"       // make a recovery kit
	RemedySafety    Remedy = "safety"    // look after the vault
	RemedyStepIn    Remedy = "stepin"    // take the place back
	RemedyGrant     Remedy = "grant"     // let Kvart's own user put things back
	RemedyPower     Remedy = "power"     // look at the rules for battery and metered connections
)

// Problem is a failure in the owner's words.
type Problem struct {
	Source               string
	Title, Meaning, Next string
	Button               string
	Remedy               Remedy
	Statement            string // what somebody has to run, to be copied
	copy, copied         string
}

// remedyOf returns what helps most often against a failure.
func remedyOf(c app.Code, source string) Remedy {
	if c == app.CodeSecretMissing && source != "" {
		return RemedySource
	}
	if source != "" && slices.Contains(reaching(), c) {
		return RemedyChange
	}
	for r, codes := range remedies() {
		if slices.Contains(codes, c) {
			return r
		}
	}
	return RemedyRetry
}

// reaching lists what a source's own settings are most often to blame for.
func reaching() []app.Code {
	return []app.Code{
		app.CodeSourceDenied, app.CodeSourceRight, app.CodeSourcePlain, app.CodeTunnelDenied,
		app.CodeCertificate, app.CodeHostKeyUnknown, app.CodeHostKeyChanged,
	}
}

// remedies lists what each remedy helps against; trying again is for the rest.
func remedies() map[Remedy][]app.Code {
	return map[Remedy][]app.Code{
		RemedySetup: {app.CodeVaultNone},
		RemedyReconnect: {
			app.CodeSecretMissing, app.CodeWrongPassphrase, app.CodeVaultOther, app.CodeVaultMissing, app.CodeStorageDenied,
			app.CodeStorageRight, app.CodeStorageRegion, app.CodeHostKeyUnknown, app.CodeHostKeyChanged,
		},
		RemedySources: {
			app.CodeSourceUnknown, app.CodeSourceKind, app.CodeSourceMissing, app.CodeSourceNotDB, app.CodeSourceEncrypted, app.CodeSourceEmpty,
			app.CodeSourcePaused, app.CodeSourceQuiet,
		},
		RemedyRecover: {app.CodeSourceDamaged, app.CodeSourceGone, app.CodeInterrupted, app.CodeVaultPast},
		RemedyReopen:  {app.CodeVaultHidden},
		RemedyKit:     {app.CodeKitMissing, app.CodeKitVoid},
		RemedySafety: {
			app.CodeVaultDamaged, app.CodeUnchecked, app.CodeCopyBehind, app.CodeCopyShrunk, app.CodeLockNone, app.CodeLockOpen, app.CodeLockLifted,
		},
		RemedyPower:  {app.CodeWaiting},
		RemedyStepIn: {app.CodeReplaced, app.CodeTwoGuards},
	}
}

// Explain tells a failure in the owner's words.
func Explain(w *assets.Words, err error, source string) Problem {
	e := app.AsError(err)
	if e == nil {
		e = &app.Error{Code: app.CodeInternal} // said to be a failure, but not which
	}
	p := Problem{Source: source, Remedy: remedyOf(e.Code, source)}
	p.Title, p.Meaning, p.Next = assets.ErrorWords(w, e)
	if p.Statement = e.Args["statement"]; p.Statement != "" {
		p.copy, p.copied = w.T("copy"), w.T("copied")
	}
	p.Button = w.T("remedy." + string(p.Remedy))
	return p
}

// Retry returns the problem with a button that tries again.
func (p Problem) Retry(w *assets.Words) Problem {
	p.Remedy, p.Button = RemedyRetry, w.T("remedy.retry")
	return p
}

// Grant returns the problem of a user that may only read, with a button that
// has it given the right to put things back.
func (p Problem) Grant(w *assets.Words) Problem {
	p.Remedy, p.Button, p.Statement = RemedyGrant, w.T("rights.give"), ""
	p.Title, p.Meaning, p.Next = w.T("rights.give.only", assets.Args{"Source": p.Source}), w.T("rights.give.why"), w.T("rights.give.next")
	return p
}

// Place returns where a remedy is found; false when it is no place.
func (p Problem) Place() (Place, bool) {
	switch p.Remedy {
	case RemedySetup:
		return Place{Screen: Setup}, true
	case RemedyReconnect:
		return Place{Screen: Setup, Reconnect: true}, true
	case RemedySources:
		return Place{Screen: Sources, Source: p.Source}, true
	case RemedySource, RemedyChange:
		return Place{Screen: Sources, Source: p.Source, Change: true}, true
	case RemedyRecover:
		return Place{Screen: Recover, Source: p.Source}, true
	case RemedyReopen:
		return Place{Screen: Reopen}, true
	case RemedyKit:
		return Place{Screen: Safety, Kit: true}, true
	case RemedySafety:
		return Place{Screen: Safety}, true
	case RemedyPower:
		return Place{Screen: Settings, Part: PartPower}, true
	}
	return Place{}, false
}

// ProblemCard shows what happened, what it means and what to do now, with one
// button; without a function there is none.
func ProblemCard(p Problem, fire func()) *widgets.Card {
	return problemCard(p, widgets.ToneDanger, fire)
}

// NoteCard is a [ProblemCard] for what should be seen to but does not keep the
// shop from being safe.
func NoteCard(p Problem, fire func()) *widgets.Card { return problemCard(p, widgets.ToneWarn, fire) }

func problemCard(p Problem, tone widgets.Tone, fire func()) *widgets.Card {
	head := []fyne.CanvasObject{widgets.NewText(p.Title, widgets.Sub().In(tone.Text()))}
	if p.Source != "" {
		head = append([]fyne.CanvasObject{widgets.Leading(widgets.NewPill(p.Source, widgets.ToneNeutral))}, head...)
	}
	head = append(head, widgets.NewText(p.Meaning, widgets.Body()), widgets.NewText(p.Next, widgets.Muted()))
	if p.Statement != "" {
		head = append(head, widgets.Code(p.Statement, p.copy, p.copied))
	}
	words := widgets.Column(widgets.Gap8, head...)
	if fire == nil {
		return widgets.NewCard(words)
	}
	return widgets.NewCard(widgets.Row(widgets.Gap24, nil, words, widgets.NewButton(p.Button, fire)))
}

// Trouble is a place for the failure of the last thing the owner asked for.
type Trouble struct {
	env Env
	box *fyne.Container

	// OnChanged is called when the place was filled or emptied, so that the
	// page makes room.
	OnChanged func()
}

// NewTrouble returns an empty place.
func NewTrouble(env Env) *Trouble {
	t := &Trouble{env: env, box: widgets.Column(0)}
	t.box.Hide()
	return t
}

// Object returns what to place on the screen; it is hidden while empty.
func (t *Trouble) Object() fyne.CanvasObject { return t.box }

// Show shows a failure, nil taking it away; again is what its button does.
// What the owner stopped is no failure.
func (t *Trouble) Show(err error, again func()) {
	if t.OnChanged != nil && (err != nil || t.box.Visible()) {
		defer t.OnChanged()
	}
	t.box.RemoveAll()
	if err == nil || app.CodeOf(err) == app.CodeCanceled {
		t.box.Hide()
		return
	}
	p := Explain(t.env.Words, err, "")
	fire := again
	if again != nil {
		p = p.Retry(t.env.Words)
		fire = func() { t.Show(nil, nil); again() }
	}
	t.box.Add(ProblemCard(p, fire))
	t.box.Show()
	t.box.Refresh()
}
