package recover

import (
	"reflect"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"kvart/app"
	"kvart/ui/recover/ask"
	"kvart/ui/recover/checklist"
	"kvart/ui/recover/prepare"
	"kvart/ui/screen"
	"kvart/ui/widgets"
)

// page is what the screen shows.
type page string

const (
	pageStart    page = "start"
	pagePick     page = "pick" // which source
	pagePlan     page = "plan" // one source, or a part of one
	pageRun      page = "run"
	pageDone     page = "done"
	pageIncident page = "incident"
	pageAsk      page = "ask"  // before an incident is opened
	pageFind     page = "find" // what was deleted
	pageContacts page = "contacts"
	pageSoon     page = "soon" // the "back soon" page
	pageDrills   page = "drills"
	pagePapers   page = "papers"
	pagePast     page = "past"
)

// part is a page that lives on its own.
type part interface {
	// Open shows the page as it was left.
	Open()
	Set(st app.Status)
	Enter()
	// Back goes one step back and reports whether there was one.
	Back() bool
	// Typed reports whether leaving would lose what was typed.
	Typed() bool
}

// Screen is Recover.
type Screen struct {
	env    screen.Env
	frame  *screen.Frame
	status app.Status
	page   page
	object *container.Scroll

	trouble *screen.Trouble
	confirm *screen.Confirm

	// asked counts plans asked for: an answer to an older question is late.
	asked    int
	request  app.RestoreRequest
	kinds    []app.KindSpec // of source; empty until they were asked for
	name     *nameEntry     // nil while no new database is named
	click    *widgets.Button
	plan     *app.RestorePlan
	planErr  error
	start    startView
	run      *runPage
	job      app.JobID // the job whose end is waited for
	waiting  app.JobID // the job a wait runs for
	told     app.Job   // the job that is shown, as it was told last
	result   doneView
	ended    app.Job // that result tells of
	helping  bool    // what was noted of its checks is unfolded
	primary  func()
	starting bool

	worker   *screen.Worker
	grant    *screen.Grant // nil while nobody is asked for the right to restore
	granting string        // the source it is about
	given    string        // the source whose user was given it

	hand  *screen.Hand
	begun app.JobID // the job that was started here last
	redo  func()    // starts it once more

	incident *checklist.Page
	asking   *ask.Page
	find     *ask.Find
	contacts *prepare.Contacts
	soon     *prepare.Soon
	drills   *prepare.Drills
	parts    map[page]part
}

var _ screen.Screen = (*Screen)(nil)

// New returns Recover on its first page.
func New(env screen.Env) *Screen {
	f := screen.NewFrame(env)
	s := &Screen{env: env, frame: f, page: pageStart, trouble: f.Trouble, confirm: f.Confirm, object: f.Page, worker: f.Worker, hand: screen.NewHand(env)}
	s.addParts()
	return s
}

// addParts makes the pages that live on their own.
func (s *Screen) addParts() {
	f := s.frame
	s.incident = checklist.New(f.Part())
	s.incident.OnChoose = func(i app.Incident) { s.page = pageAsk; s.asking.Change(i) }
	s.incident.OnContacts = s.openContacts
	s.incident.OnLeave = s.leave
	s.asking = ask.New(f.Part())
	s.asking.OnOpened = func(i app.Incident) { s.page = pageIncident; s.incident.Show(i) }
	s.asking.OnBack = s.goStart
	s.find = ask.NewFind(f.Part())
	s.find.OnPlan = func(r app.RestoreRequest) { s.page = pagePlan; s.ask(r) }
	s.find.OnGuide = func(c app.Choice) { s.openAsk(app.PlaybookDeleted, c) }
	s.find.OnBack = s.goStart
	s.contacts = prepare.NewContacts(f.Part())
	s.contacts.OnBack = s.goStart
	s.soon = prepare.NewSoon(f.Part())
	s.soon.OnBack = s.goStart
	s.drills = prepare.NewDrills(f.Part())
	s.drills.OnBack = s.goStart
	s.drills.OnDrill = s.startDrill
	papers, past := prepare.NewPapers(f.Part()), prepare.NewPast(f.Part())
	papers.OnBack, past.OnBack = s.goStart, s.goStart
	s.parts = map[page]part{
		pageIncident: s.incident, pageAsk: s.asking, pageFind: s.find, pageContacts: s.contacts, pageSoon: s.soon,
		pageDrills: s.drills, pagePapers: papers, pagePast: past,
	}
}

// Object implements [screen.Screen].
func (s *Screen) Object() fyne.CanvasObject { return s.object }

// Open implements [screen.Screen]. A running job is shown before anything
// else, then an open incident.
func (s *Screen) Open(p screen.Place) {
	s.trouble.Show(nil, nil)
	s.confirm.Close()
	part := s.parts[s.page]
	switch {
	case s.page == pageRun:
	case p.Part == screen.PartContacts && (s.page != pageContacts || !part.Typed()):
		s.openContacts()
	case p.Source != "":
		s.page = pagePlan
		s.ask(app.RestoreRequest{Sources: []string{p.Source}, Point: p.Point, Paths: p.Paths, Target: app.Target{Dir: p.Export}})
	case part != nil && part.Typed():
		part.Open() // the guard may have been away for a moment
	default:
		s.goStart()
	}
}

// Enter implements [screen.Screen].
func (s *Screen) Enter() {
	s.hand.Struck()
	if part := s.parts[s.page]; part != nil {
		part.Enter()
	} else if s.primary != nil {
		s.primary()
	}
}

// Back implements [screen.Screen].
func (s *Screen) Back() bool {
	part := s.parts[s.page]
	switch {
	case s.confirm.Close():
	case part != nil:
		return part.Back()
	case s.grant != nil:
		s.closeGrant()
	case s.page == pageStart, s.page == pageRun:
		return false
	default:
		s.goStart()
	}
	return true
}

// Set implements [screen.Screen].
func (s *Screen) Set(st app.Status) {
	s.status = st
	for name, part := range s.parts {
		if name != pageIncident || s.page == pageIncident {
			part.Set(st)
		}
	}
	j := st.Job
	switch {
	case j != nil && j.State == app.JobRunning && shown(j.Kind) && !s.ofIncident(*j):
		s.showRun(*j)
	case s.page == pageRun:
		s.finish(s.job)
	case s.page == pageDone:
		s.redone()
	case s.page == pageStart && st.Incident != nil:
		s.openIncident()
	case s.page == pageStart:
		if v := modelStart(s.env.Words, st, s.env.Now()); !reflect.DeepEqual(v, s.start) {
			s.drawStart()
		}
	}
}

// ofIncident reports whether a job is shown by the page of the open incident:
// one of its own, or any while that page is looked at.
func (s *Screen) ofIncident(j app.Job) bool {
	b := s.status.Incident
	if b == nil {
		return false
	}
	own := b.Running == "restore" || b.Running == "rehearse"
	return s.page == pageIncident || own && s.page != pageRun
}

func (s *Screen) put(objects ...fyne.CanvasObject) {
	s.frame.Turn()
	s.frame.Put(objects...)
}

// goStart shows the first page; that is the incident while one is open.
func (s *Screen) goStart() {
	s.plan, s.planErr, s.grant, s.given = nil, nil, nil, ""
	if s.status.Incident != nil {
		s.openIncident()
		return
	}
	s.page = pageStart
	s.object.ScrollToTop()
	s.drawStart()
	if s.start.HasBackups {
		s.ask(app.RestoreRequest{})
	}
}

func (s *Screen) openIncident() {
	s.page, s.primary = pageIncident, nil
	s.incident.Set(s.status)
	s.incident.Open()
}

// openAsk asks about one kind of trouble.
func (s *Screen) openAsk(code app.PlaybookCode, known app.Choice) {
	if code == app.PlaybookComputer && s.status.Vault == nil {
		s.env.Show(screen.Place{Screen: screen.Reopen})
		return
	}
	s.page = pageAsk
	s.asking.Begin(code, known)
}

func (s *Screen) openFind() { s.page = pageFind; s.find.Begin() }

func (s *Screen) openContacts() { s.page = pageContacts; s.contacts.Begin() }

func (s *Screen) openSoon() { s.page = pageSoon; s.soon.Begin() }

// open shows a page that begins anew by being opened.
func (s *Screen) open(p page) { s.page = p; s.parts[p].Open() }
