package checklist

import (
	"context"
	"reflect"
	"slices"
	"time"

	"fyne.io/fyne/v2"

	"kvart/app"
	"kvart/assets"
	"kvart/ui/screen"
	"kvart/ui/widgets"
)

// readAgain is how long the page waits before it reads an incident again that,
// as far as the status tells, stands as it did.
const readAgain = 2 * time.Second

// Page is the open incident, and once it is closed what is left of it.
type Page struct {
	f     *screen.Frame
	facts facts
	known bool // an incident was read

	reading, again bool
	// version counts what was told of the incident otherwise than by reading it:
	// an answer to a question asked before that is late.
	version int
	failed  bool   // the last time
	read    uint64 // the status that the incident was read for
	readAt  time.Time
	brief   app.IncidentBrief // as it was then

	head  *head
	shown view
	drawn bool
	// open is the step that is folded out; kept is set when the owner chose it.
	open app.StepCode
	kept bool
	ask  asking
	// ticking is the step the guard is told about just now, "" for none.
	ticking app.StepCode
	told    map[app.StepCode]bool // Kvart's steps that are folded out
	saved   string                // the report, when it was saved just now
	undoing app.JobID             // the undo that was waited for last

	cut cutUndo // one whose end the guard could not tell, being gone

	// OnChoose is called to choose another backup.
	OnChoose func(app.Incident)
	// OnContacts is called to look up whom to call.
	OnContacts func()
	// OnLeave is called once the owner is done with a closed incident.
	OnLeave func()
}

// cutUndo is an undo, and the restore that it takes back.
type cutUndo struct {
	job app.JobID
	id  app.RestoreID
}

// asking is a reason that is asked for.
type asking struct {
	step  app.StepCode
	tick  app.Tick
	entry *widgets.Entry
}

// New returns the page without an incident.
func New(f *screen.Frame) *Page {
	p := &Page{f: f, told: map[app.StepCode]bool{}}
	p.head = newHead(f.T("recover.due.button"), p.goDue)
	return p
}

// Open shows the page.
func (p *Page) Open() {
	p.f.Turn()
	p.drawn = false
	p.saved = ""
	p.f.Page.ScrollToTop()
	if p.closed() {
		p.drawClosed()
		return
	}
	p.fetch()
	p.draw()
}

// Show shows an incident that was opened or changed just now.
func (p *Page) Show(i app.Incident) {
	if i.ID != p.facts.Incident.ID {
		p.open, p.kept, p.ask = "", false, asking{}
	}
	p.facts.Incident, p.known = i, true
	p.version++
	p.Open()
}

// Typed reports whether leaving would lose what was typed.
func (p *Page) Typed() bool { return p.ask.step != "" && p.ask.entry.Text != "" }

// closed reports whether the incident is over.
func (p *Page) closed() bool { return p.known && !p.facts.Incident.Closed.IsZero() }

// Set shows how things stand now.
func (p *Page) Set(st app.Status) {
	p.facts.Status = st
	switch {
	case p.closed() && st.Incident == nil:
		return
	case st.Incident == nil:
		p.gone()
		return
	case p.known && p.facts.Incident.ID != st.Incident.ID:
		p.version++
		p.known, p.drawn, p.open, p.kept, p.ask = false, false, "", false, asking{}
		p.fetch()
	case p.stale():
		p.fetch()
	}
	if j := jobOf(st); j != nil && j.Kind == app.JobUndo && p.known {
		p.awaitUndo(j.ID, p.facts.Incident.Restore) // begun here, or before this window was opened
	} else if p.cut.job != "" {
		p.awaitUndo(p.cut.job, p.cut.id)
	}
	p.draw()
}

// stale reports whether the incident should be read: never twice for the same
// status, and seldom while nothing tells that it changed.
func (p *Page) stale() bool {
	st := p.facts.Status
	switch {
	case p.readAt.IsZero():
		return true
	case st.Seq == p.read:
		return false
	}
	return !p.known || !reflect.DeepEqual(settledBrief(st), p.brief) || p.f.Now().Sub(p.readAt).Abs() >= readAgain
}

// settledBrief is what of a status tells that an incident changed.
func settledBrief(st app.Status) app.IncidentBrief {
	b := *st.Incident
	b.Seconds = 0
	return b
}

// fetch reads the incident, one time after the other.
func (p *Page) fetch() {
	if p.reading {
		p.again = true
		return
	}
	p.reading, p.again = true, false
	seq, at, version := p.facts.Status.Seq, p.f.Now(), p.version
	var brief app.IncidentBrief
	if p.facts.Status.Incident != nil {
		brief = settledBrief(p.facts.Status)
	}
	p.f.Go(func(ctx context.Context) func() {
		got, err := p.load(ctx)
		return func() {
			p.reading = false
			p.read, p.readAt, p.brief = seq, at, brief
			if version != p.version {
				got.Incident, p.again = app.Incident{}, true // it may be older than what is known
			}
			p.fetched(got, err)
			if p.again {
				p.fetch()
			}
		}
	})
}

// fetched takes in what was read. Texts and contacts that could not be read are
// no reason not to show the incident.
func (p *Page) fetched(got facts, err error) {
	if app.CodeOf(err) == app.CodeIncidentNone {
		p.gone()
		return
	}
	if err != nil || p.failed {
		p.failed = err != nil
		p.f.Trouble.Show(err, p.fetch)
	}
	if err == nil {
		p.facts.Messages, p.facts.Contacts = got.Messages, got.Contacts
	}
	if got.Incident.ID != "" {
		p.take(got.Incident)
	}
}

func (p *Page) load(ctx context.Context) (f facts, err error) {
	if f.Incident, err = p.f.Service.Incident(ctx); err != nil {
		return f, err
	}
	if f.Messages, err = p.f.Service.Messages(ctx, ""); err != nil {
		return f, err
	}
	f.Contacts, err = p.f.Service.Contacts(ctx)
	return f, err
}

// take shows an incident as the guard told it.
func (p *Page) take(i app.Incident) {
	p.facts.Incident, p.known = i, true
	p.draw()
}

// gone shows what is left of an incident that was closed elsewhere.
func (p *Page) gone() {
	if !p.known || p.closed() || p.reading {
		return
	}
	id := p.facts.Incident.ID
	p.reading = true
	p.f.Go(func(ctx context.Context) func() {
		all, err := p.f.Service.Incidents(ctx)
		return func() {
			p.reading = false
			n := slices.IndexFunc(all, func(i app.Incident) bool { return i.ID == id && !i.Closed.IsZero() })
			switch {
			case err != nil:
				p.f.Trouble.Show(err, p.gone)
			case n >= 0:
				p.facts.Incident = all[n]
				p.drawClosed()
			}
		}
	})
}

// Enter shows the owner's next step, or leaves an incident that is over.
func (p *Page) Enter() {
	switch {
	case p.closed():
		p.OnLeave()
	case p.ask.step != "":
		p.giveReason()
	default:
		p.focusStep(p.open)
	}
}

// Back folds in what was asked.
func (p *Page) Back() bool {
	if p.ask.step == "" {
		return false
	}
	code := p.ask.step
	p.ask = asking{}
	p.redraw()
	p.focusStep(code)
	return true
}

func (p *Page) draw() {
	if !p.known || p.closed() {
		if !p.known {
			p.f.Put(widgets.NewText(p.f.T("recover.going.waiting"), widgets.Muted()))
		}
		return
	}
	p.head.set(modelHead(p.f.Words, p.facts, p.f.Now()))
	v := model(p.f.Words, p.facts, p.f.Now())
	if p.drawn && reflect.DeepEqual(v, p.shown) {
		p.f.Relayout()
		return
	}
	p.shown, p.drawn = v, true
	open := slices.ContainsFunc(v.Owner, func(r ownerRow) bool { return r.Code == p.open && r.State == app.StepOpen })
	if !p.kept || !open && p.open != "" && p.ask.step == "" {
		p.open, p.kept = v.current(), false
	}
	p.redraw()
}

// redraw draws what is known anew.
func (p *Page) redraw() {
	v := p.shown
	objects := append([]fyne.CanvasObject{p.head.object}, p.brakes(v)...)
	if v.Infected {
		clean, _, _ := assets.StepWords(p.f.Words, "clean")
		objects = append(objects, screen.NoteCard(screen.Problem{
			Title: p.f.T("recover.infected.title"), Meaning: p.f.T("recover.infected.meaning"), Next: p.f.T("recover.infected.next", assets.Args{"Step": clean}),
		}, nil))
	}
	objects = append(objects, widgets.Grid(widgets.Gap16, 340, 2, p.kvartCard(v), p.ownerCard(v)), p.buttons(v))
	p.f.Put(objects...)
}

// tick tells the guard what became of a step, and goes on to the next. It may
// take a while where Kvart looks for itself whether a step worked.
func (p *Page) tick(r app.TickRequest) {
	if p.ticking != "" {
		return
	}
	p.ticking = r.Step
	p.f.Trouble.Show(nil, nil)
	p.redraw()
	p.f.Go(func(ctx context.Context) func() {
		i, err := p.f.Service.TickStep(ctx, r)
		return func() {
			p.ticking = ""
			if err != nil {
				p.redraw()
				p.f.Trouble.Show(err, func() { p.tick(r) })
				return
			}
			p.ticked(i, r)
		}
	})
}

func (p *Page) ticked(i app.Incident, r app.TickRequest) {
	p.ask, p.kept, p.open = asking{}, false, ""
	p.drawn = false
	p.version++
	p.take(i)
	own := slices.ContainsFunc(p.shown.Owner, func(o ownerRow) bool { return o.Code == r.Step })
	if own && (p.open == "" || r.Tick == app.TickUndo) {
		p.open, p.kept = r.Step, true
		p.redraw()
	}
	p.focusStep(p.open)
}

// focusStep gives the keyboard to the line of a step: not to its button, which
// a key that is held down would press.
func (p *Page) focusStep(code app.StepCode) {
	if fold := p.head.folds[code]; fold != nil {
		widgets.Focus(fold)
	}
}

// goDue folds out the step that has to be done in time.
func (p *Page) goDue() {
	if p.shown.Due == "" {
		return
	}
	p.ask, p.open, p.kept = asking{}, p.shown.Due, true
	p.redraw()
	widgets.ScrollTo(p.f.Page, p.head.folds[p.open])
	p.focusStep(p.open)
}
