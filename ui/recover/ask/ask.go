package ask

import (
	"context"
	"slices"
	"strings"
	"time"

	"kvart/app"
	"kvart/ui/screen"
	"kvart/ui/widgets"
)

const (
	// fewCandidates are shown at first, manyCandidates when more are asked for.
	fewCandidates  = 6
	manyCandidates = 50
)

// sourceCandidates are the backups of one source, newest first.
type sourceCandidates struct {
	id   app.SourceID
	name string
	list []app.Candidate
}

// Page asks about one kind of trouble.
type Page struct {
	f      *screen.Frame
	status app.Status

	code   app.PlaybookCode
	change *app.Incident // what is to be brought back is chosen anew; else nil
	choice app.Choice
	when   when
	day    string
	clock  string
	note   string
	limit  int

	// asked counts questions: an answer to an older one is late.
	asked   int
	asOf    time.Time // what was asked about
	waiting bool
	found   []sourceCandidates
	plan    *app.RestorePlan
	err     error

	begin *widgets.Button
	wrong *widgets.Text
	hand  *screen.Hand

	// OnOpened is called with the incident that was opened or changed.
	OnOpened func(app.Incident)
	// OnBack leads away without one.
	OnBack func()
}

// New returns the page without a question.
func New(f *screen.Frame) *Page { return &Page{f: f, hand: screen.NewHand(f.Env)} }

// Set takes in how things stand.
func (p *Page) Set(st app.Status) { p.status = st }

// Begin asks about a kind of trouble, as far as it is known already.
func (p *Page) Begin(code app.PlaybookCode, known app.Choice) {
	p.reset(code, known)
	if known.Point != "" {
		p.limit = manyCandidates // it may be an old one
	}
	p.look()
}

// Change asks anew what an open incident should bring back.
func (p *Page) Change(i app.Incident) {
	p.reset(i.Playbook, i.Choice)
	p.change = &i
	if at := i.Choice.Before; !at.IsZero() {
		at = at.Local()
		p.when, p.day, p.clock = whenDay, at.Format(time.DateOnly), at.Format("15:04")
	}
	p.look()
}

func (p *Page) reset(code app.PlaybookCode, known app.Choice) {
	p.code, p.change, p.choice, p.when, p.note, p.limit = code, nil, known, whenNow, "", fewCandidates
	p.day, p.clock = p.f.Now().Local().Format(time.DateOnly), ""
	p.found, p.plan, p.err = nil, nil, nil
	p.hand.Appeared()
	p.f.Turn()
	p.f.Page.ScrollToTop()
}

// Typed reports whether leaving the page would lose what was typed.
func (p *Page) Typed() bool { return strings.TrimSpace(p.note) != "" }

// Open shows the page again as it was left.
func (p *Page) Open() { p.f.Turn(); p.draw() }

// Enter opens the incident; while there is another time than the backups on the
// page are from, it looks for those first.
func (p *Page) Enter() {
	p.hand.Struck()
	switch {
	case p.stale():
		p.lookAnew()
	case p.begin != nil && !p.begin.Disabled():
		p.hand.Fire(p.start)
	}
}

// stale reports whether a time was typed that nothing was asked about yet.
func (p *Page) stale() bool {
	before, wrong := p.before()
	return wrong == "" && !before.Equal(p.asOf)
}

// lookAnew asks about the time that was typed.
func (p *Page) lookAnew() {
	if p.stale() {
		p.choice.Point = ""
	}
	p.look()
}

// Back leads away.
func (p *Page) Back() bool {
	p.OnBack()
	return true
}

// toggle takes a source in, or leaves it out; none stands for all.
func (p *Page) toggle(name string) {
	names := slices.Clone(p.choice.Sources)
	if i := slices.Index(names, name); i >= 0 {
		names = slices.Delete(names, i, i+1)
	} else {
		names = append(names, name)
	}
	if len(names) == len(p.status.Sources) {
		names = nil
	}
	p.choose(names)
}

func (p *Page) choose(names []string) {
	p.choice.Sources, p.choice.Paths, p.choice.Point = names, nil, ""
	p.look()
}

func (p *Page) setWhen(k when) {
	p.when, p.choice.Point = k, ""
	p.look()
}

// before is when the trouble began.
func (p *Page) before() (time.Time, string) { return began(p.when, p.day, p.clock, p.f.Now()) }

// look asks which backups there are, and what bringing them back would do.
func (p *Page) look() {
	p.asked++
	p.found, p.plan, p.err, p.waiting = nil, nil, nil, false
	before, wrong := p.before()
	if wrong == "" {
		p.asOf = before
	}
	if what, _ := asks(p.code); !what || wrong != "" || p.status.Vault == nil {
		p.draw()
		return
	}
	p.waiting = true
	p.draw()
	mine, q := p.asked, question{choice: p.choice, limit: p.limit, sources: p.sources()}
	q.choice.Before = before
	p.f.Go(func(ctx context.Context) func() {
		found, plan, err := q.answer(ctx, p.f.Service)
		return func() {
			if mine != p.asked {
				return
			}
			p.waiting, p.found, p.plan, p.err = false, found, plan, err
			p.hand.Appeared()
			p.draw()
		}
	})
}

// sources lists those that are meant.
func (p *Page) sources() (out []app.Source) {
	for _, s := range p.status.Sources {
		if len(p.choice.Sources) == 0 || slices.Contains(p.choice.Sources, s.Source.Name) {
			out = append(out, s.Source)
		}
	}
	return out
}

// question is what is asked of the guard.
type question struct {
	choice  app.Choice
	limit   int
	sources []app.Source
}

func (q question) answer(ctx context.Context, svc app.Service) (found []sourceCandidates, plan *app.RestorePlan, err error) {
	r := app.RestoreRequest{Sources: q.choice.Sources, Paths: q.choice.Paths, At: q.choice.Before, Points: map[app.SourceID]app.PointID{}}
	for _, s := range q.sources {
		list, err := svc.Candidates(ctx, app.CandidatesRequest{Source: s.Name, Before: q.choice.Before, Limit: q.limit})
		if err != nil {
			return nil, nil, err
		}
		found = append(found, sourceCandidates{s.ID, s.Name, list})
		for _, c := range list {
			if c.Proposed {
				r.Points[s.ID] = c.Point.ID
			}
		}
	}
	if q.choice.Point != "" {
		r.Point, r.Points = q.choice.Point, nil
	}
	p, err := svc.PlanRestore(ctx, r)
	if err != nil {
		return found, nil, err
	}
	return found, &p, nil
}

// pick chooses one backup of the one source.
func (p *Page) pick(id app.PointID) {
	p.choice.Point = id
	p.look()
}

func (p *Page) more() {
	p.limit = manyCandidates
	p.look()
}

// start opens the incident, or changes what the open one brings back.
func (p *Page) start() {
	before, wrong := p.before()
	if wrong != "" || p.stale() {
		return
	}
	c := p.choice
	c.Before = before
	if len(c.Sources) != 1 {
		c.Point, c.Paths = "", nil
	}
	var i app.Incident
	p.f.Worker.Ask(func(ctx context.Context) (err error) {
		if p.change != nil {
			i, err = p.f.Service.TickStep(ctx, app.TickRequest{Step: "point", Choice: &c})
			return err
		}
		i, err = p.f.Service.StartIncident(ctx, app.IncidentRequest{Playbook: p.code, Choice: c, Note: strings.TrimSpace(p.note)})
		return err
	}, func() {
		p.note = ""
		p.OnOpened(i)
	}, p.start)
}
