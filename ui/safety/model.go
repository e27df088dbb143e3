// Package safety is the screen that shows how well the backups themselves are
// kept: in how many places, out of whose reach, proven how, opened with what.
// It decides nothing; all it shows is read from the guard's status.
package safety

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"kvart/app"
	"kvart/assets"
	"kvart/ui/kit"
	"kvart/ui/screen"
	"kvart/ui/widgets"
)

// ruleRow is one of the five parts of 3-2-1-1-0.
type ruleRow struct {
	Title, Text string
	Todo        string // what to do about it; "" when it holds
	Pill        string
	Tone        widgets.Tone
}

// stand is one thing the screen tells about: in a word, and what it means.
type stand struct {
	Pill  string
	Tone  widgets.Tone
	Lines []string
	Can   bool // its button can be pressed
}

// copyRow is one second place.
type copyRow struct {
	Name, Where, Text string
	Pill              string
	Tone              widgets.Tone
	Problem           *screen.Problem
}

// viewModel is everything the screen shows of a status.
type viewModel struct {
	HasVault, Past bool
	Rule           []ruleRow
	Met            bool
	Kit            kit.View
	Lock           stand
	Check          stand
	Damaged        string // how much damage is known; "" for none
	Copies         []copyRow
	Use            stand
	Share          float64 // how full the storage is; 0 when not known
	Job            *screen.JobModel
}

func model(w *assets.Words, s app.Status, now time.Time) viewModel {
	if s.Vault == nil {
		return viewModel{}
	}
	v := viewModel{HasVault: true, Past: !s.Vault.AsOf.IsZero()}
	v.Rule, v.Met = modelRule(w, s, now)
	v.Kit = kit.Model(w, s.Kit, now)
	v.Lock = modelLock(w, s, now)
	v.Check, v.Damaged = modelCheck(w, s, now)
	for _, c := range s.Copies {
		v.Copies = append(v.Copies, modelCopy(w, c, now))
	}
	v.Use, v.Share = modelUse(w, s, now)
	if j := s.Job; j != nil && j.State == app.JobRunning && shown(j.Kind) {
		m := screen.ModelJob(w, *j, now)
		v.Job = &m
	}
	return v
}

// shown reports whether a job belongs to this screen.
func shown(k app.JobKind) bool {
	return slices.Contains([]app.JobKind{app.JobVerify, app.JobMaintain, app.JobCheck, app.JobRepair, app.JobCopy, app.JobDrill, app.JobCapacity}, k)
}

// modelRule tells 3-2-1-1-0. What is not known does not hold.
func modelRule(w *assets.Words, s app.Status, now time.Time) ([]ruleRow, bool) {
	r := app.RuleOfCopies{}
	if s.Rule != nil {
		r = *s.Rule
	}
	row := func(key string, ok bool, count int64, args assets.Args) ruleRow {
		key = "safety.rule." + key
		out := ruleRow{Title: w.T(key), Pill: w.T("safety.ok"), Tone: widgets.ToneGood}
		if ok {
			out.Text = w.N(key+".ok", count, args)
			return out
		}
		out.Text, out.Todo = w.N(key+".not", count, args), w.T(key+".todo")
		out.Pill, out.Tone = w.T("safety.not"), widgets.ToneWarn
		if s.Rule == nil {
			out.Text, out.Pill, out.Tone = w.T("safety.rule.unknown"), w.T("stand.unknown"), widgets.ToneNeutral
		}
		return out
	}
	places, kinds, away := placesOf(w, s)
	tried, drilled := w.T("none"), w.T("none")
	if s.LockProof != nil {
		tried = w.When(s.LockProof.At, now)
	}
	if s.LastDrill != nil {
		drilled = w.When(s.LastDrill.At, now)
	}
	errors := "errors"
	if r.Errors == 0 && !r.Proved {
		errors = "unproved"
	}
	last := row(errors, errors == "errors" && r.Errors == 0 && r.Proved, int64(r.Errors), assets.Args{"When": drilled})
	if r.Errors > 0 {
		last.Tone = widgets.ToneDanger
	}
	return []ruleRow{
		row("copies", r.Copies >= 3, int64(r.Copies), assets.Args{"Places": places}),
		row("media", r.Media >= 2, int64(r.Media), assets.Args{"Kinds": kinds}),
		row("offsite", r.OffSite, 1, assets.Args{"Where": away}),
		row("immutable", r.Immutable, int64(s.Vault.Lock.Days), assets.Args{"When": tried}),
		last,
	}, r.Met()
}

// placesOf names where the shop's data lies, on what, and which of it is away
// from the shop.
func placesOf(w *assets.Words, s app.Status) (places, kinds, away string) {
	ps, ks, as := []string{s.Vault.Where}, []string{w.T("storage." + string(s.Vault.Storage))}, []string{}
	if s.Vault.OffSite {
		as = append(as, s.Vault.Where)
	}
	for _, c := range s.Copies {
		ps = append(ps, c.Name)
		if k := w.T("storage." + string(c.Kind)); !slices.Contains(ks, k) {
			ks = append(ks, k)
		}
		if c.OffSite {
			as = append(as, c.Name)
		}
	}
	return strings.Join(ps, ", "), strings.Join(ks, ", "), strings.Join(as, ", ")
}

// modelLock tells whether the backups can be deleted. Only an attempt says so,
// and only for a time.
func modelLock(w *assets.Words, s app.Status, now time.Time) stand {
	lock := s.Vault.Lock
	if lock.Mode == app.LockNone {
		return stand{Pill: w.T("safety.lock.none"), Tone: widgets.ToneWarn, Lines: []string{w.T("safety.lock.none.text")}}
	}
	v := stand{Can: true, Lines: []string{w.N("safety.lock."+string(lock.Mode), int64(lock.Days))}}
	p := s.LockProof
	if p == nil {
		v.Pill, v.Tone = w.T("safety.lock.untried"), widgets.ToneWarn
		v.Lines = append(v.Lines, w.T("safety.lock.untried.text"))
		return v
	}
	state := string(p.State)
	switch {
	case p.State == app.LockOpen:
		v.Tone = widgets.ToneDanger
	case p.State == app.LockLifted:
		v.Tone = widgets.ToneWarn
	case s.Locked():
		v.Tone = widgets.ToneGood
	default:
		v.Tone, state = widgets.ToneWarn, "old"
	}
	v.Pill = w.T("safety.lock." + state)
	v.Lines = append(v.Lines, w.T("safety.lock."+state+".text", assets.Args{"When": w.When(p.At, now)}))
	return v
}

// modelCheck tells how much of what is stored was read back, and the damage
// that is known.
func modelCheck(w *assets.Words, s app.Status, now time.Time) (v stand, damaged string) {
	known := slices.ContainsFunc(s.Problems, func(p app.Problemed) bool { return app.CodeOf(p.Error) == app.CodeVaultDamaged })
	c := s.Check
	if c == nil {
		v = stand{Pill: w.T("safety.check.never"), Tone: widgets.ToneNeutral, Lines: []string{w.T("safety.check.never.text")}, Can: true}
		if known {
			damaged = w.T("safety.check.damaged.some")
			v.Tone = widgets.ToneDanger
		}
		return v, damaged
	}
	v.Can = true
	v.Lines = []string{w.T("safety.check.last", assets.Args{"Bytes": w.Bytes(c.Bytes)})}
	switch {
	case len(c.Damaged) > 0:
		damaged = w.N("safety.check.damaged", int64(len(c.Damaged)))
		v.Pill, v.Tone = w.T("safety.check.bad"), widgets.ToneDanger
	case known:
		damaged = w.T("safety.check.damaged.some")
		v.Pill, v.Tone = w.T("safety.check.bad"), widgets.ToneDanger
	case c.Unread > 0 || c.Oldest.IsZero():
		v.Pill, v.Tone = w.T("safety.check.part"), widgets.ToneNeutral
		v.Lines = append(v.Lines, w.T("safety.check.part.text", assets.Args{"Read": w.Bytes(max(c.BytesTotal-c.Unread, 0)), "All": w.Bytes(c.BytesTotal)}))
	default:
		v.Pill, v.Tone = w.T("safety.check.all"), widgets.ToneGood
		v.Lines = append(v.Lines, w.T("safety.check.all.text", assets.Args{"All": w.Bytes(c.BytesTotal), "When": w.When(c.Oldest, now)}))
		if now.Sub(c.Oldest) > oldCheck {
			v.Pill, v.Tone = w.T("safety.check.old"), widgets.ToneWarn
		}
	}
	return v, damaged
}

// oldCheck is how long ago all that is stored may have been read back.
const oldCheck = 30 * 24 * time.Hour

func modelCopy(w *assets.Words, c app.CopyStatus, now time.Time) copyRow {
	r := copyRow{Name: c.Name, Where: c.Where, Pill: w.T("safety.copy." + string(c.State)), Tone: widgets.ToneWarn}
	switch c.State {
	case app.CopyInStep:
		r.Tone = widgets.ToneGood
	case app.CopyNew, app.CopyAway:
		r.Tone = widgets.ToneNeutral
	case app.CopyFailed:
		r.Tone = widgets.ToneDanger
	}
	r.Text = w.T("safety.copy.never")
	if !c.InStep.IsZero() {
		r.Text = w.T("safety.copy.until", assets.Args{"When": w.When(c.InStep, now)})
	}
	if c.Error != nil {
		p := screen.Explain(w, c.Error, "")
		r.Problem = &p
	}
	return r
}

func modelUse(w *assets.Words, s app.Status, now time.Time) (stand, float64) {
	u := app.StorageUse{Bytes: s.Vault.Bytes, Free: s.Vault.Free}
	if s.Use != nil {
		u = *s.Use
	} else if s.Vault.Free == 0 {
		u.Free = -1 // an older description of the vault does not tell
	}
	v := stand{Tone: widgets.ToneNeutral}
	if u.Bytes < 0 {
		v.Lines = []string{w.T("safety.use.unknown")}
		return v, 0
	}
	v.Lines = []string{w.T("safety.use.bytes", assets.Args{"Bytes": w.Bytes(u.Bytes)})}
	share := 0.0
	if u.Free >= 0 {
		v.Lines = append(v.Lines, w.T("safety.use.free", assets.Args{"Bytes": w.Bytes(u.Free)}))
		if u.Bytes+u.Free > 0 {
			share = float64(u.Bytes) / float64(u.Bytes+u.Free)
		}
	}
	if u.PerDay > 0 {
		v.Lines = append(v.Lines, w.T("safety.use.perday", assets.Args{"Bytes": w.Bytes(u.PerDay)}))
	}
	if !u.FullAt.IsZero() {
		v.Pill, v.Tone = forecast(w, u.FullAt.Sub(now))
		v.Lines = append(v.Lines, w.T("peaks.use.full", assets.Args{"Month": w.T("month." + strconv.Itoa(int(u.FullAt.Local().Month()))), "Year": u.FullAt.Local().Year()}))
	}
	if p := u.Peak; p != nil {
		v.Lines = append(v.Lines, w.T("peaks.use."+string(p.Basis), assets.Args{"Bytes": w.Bytes(p.Bytes), "When": w.Day(p.Until.Local().AddDate(0, 0, -1))}))
		if p.Free >= 0 && p.Free < p.Bytes {
			v.Pill, v.Tone = w.T("peaks.use.little"), widgets.ToneWarn
		}
	}
	return v, share
}

// forecast tells in how long the storage is full, no more exactly than it can
// be known.
func forecast(w *assets.Words, left time.Duration) (string, widgets.Tone) {
	const day = 24 * time.Hour
	days := int64(left / day)
	switch {
	case days < 1:
		return w.T("safety.use.full"), widgets.ToneDanger
	case days < 14:
		return w.N("safety.use.full.days", days), widgets.ToneDanger
	case days < 60:
		return w.N("safety.use.full.weeks", (days+3)/7), widgets.ToneWarn
	case days < 730:
		return w.N("safety.use.full.months", (days+15)/30), widgets.ToneNeutral
	}
	return w.N("safety.use.full.years", days/365), widgets.ToneNeutral
}

// computerRow is one computer that shares the vault.
type computerRow struct {
	Name, Text string
	Pill       string // "" for none
	Tone       widgets.Tone
}

// quiet is how long a computer may store nothing before that is said.
const quiet = 2 * 24 * time.Hour

func modelComputers(w *assets.Words, list []app.Computer, self app.ComputerID, now time.Time) []computerRow {
	var out []computerRow
	for _, c := range list {
		r := computerRow{Name: c.Name, Text: w.T("safety.computer.never"), Tone: widgets.ToneNeutral}
		if c.ID == self {
			r.Name = w.T("safety.computer.this", assets.Args{"Name": c.Name})
		}
		if !c.Seen.IsZero() {
			r.Text = w.T("safety.computer.seen", assets.Args{"When": w.When(c.Seen, now)})
		}
		switch {
		case c.ReplacedBy != "":
			name := string(c.ReplacedBy)
			if i := slices.IndexFunc(list, func(o app.Computer) bool { return o.ID == c.ReplacedBy }); i >= 0 {
				name = list[i].Name
			}
			r.Pill = w.T("safety.computer.replaced", assets.Args{"Name": name})
		case now.Sub(c.Seen) > quiet:
			r.Pill, r.Tone = w.T("safety.computer.quiet"), widgets.ToneWarn
		case c.Maintains:
			r.Pill = w.T("safety.computer.maintains")
		}
		out = append(out, r)
	}
	return out
}

// modelResult tells what came of a job of this screen.
func modelResult(w *assets.Words, j app.Job) []string {
	switch {
	case len(j.Drills) > 0:
		return drillResult(w, j.Drills)
	case j.Repair != nil:
		return repairResult(w, *j.Repair)
	case j.Check != nil && len(j.Check.Damaged) > 0:
		return []string{w.N("safety.check.damaged", int64(len(j.Check.Damaged)))}
	case j.Check != nil:
		return []string{w.T("safety.result.check", assets.Args{"Bytes": w.Bytes(j.Check.Bytes)})}
	}
	var out []string
	for _, c := range j.Copies {
		if c.State == app.CopyInStep && c.Last != nil {
			out = append(out, w.T("safety.result.copy", assets.Args{"Name": c.Name, "Bytes": w.Bytes(c.Last.Sent)}))
		}
	}
	return out
}

func repairResult(w *assets.Words, r app.RepairReport) []string {
	if r.Damaged == 0 {
		return []string{w.T("safety.result.whole")}
	}
	out := []string{w.N("safety.result.restored", int64(r.Restored), assets.Args{"Of": w.Number(int64(r.Damaged))})}
	if r.Forgotten > 0 {
		out = append(out, w.N("safety.result.forgotten", int64(r.Forgotten)))
	}
	if n := int64(len(r.Points)); n > 0 {
		out = append(out, w.N("safety.result.points", n))
	}
	return out
}
