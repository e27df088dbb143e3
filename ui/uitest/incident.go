package uitest

import (
	"context"
	"slices"
	"time"

	"kvart/app"
	"kvart/assets"
)

// Trouble is the part of [Service] that leads through bad days.
type Trouble struct {
	// Open is the open incident, Past are those closed, newest first.
	Open *app.Incident
	Past []app.Incident
	Book []app.Contact
	Soon app.PageSettings

	IncidentFunc   func(app.IncidentRequest) (app.Incident, error)
	TickFunc       func(app.TickRequest) (app.Incident, error)
	ReportFunc     func(app.ReportRequest) ([]byte, error)
	PlaybooksFunc  func() []app.Playbook
	SheetFunc      func(app.PaperRequest) ([]byte, error)
	ContactsFunc   func([]app.Contact) error // before they are kept
	BookFunc       func() ([]app.Contact, error)
	MessagesFunc   func() []app.Message
	PageFunc       func(app.PageRequest) (app.PageFile, error)
	CandidatesFunc func(app.CandidatesRequest) ([]app.Candidate, error)
	SearchFunc     func(app.SearchRequest) (app.SearchResult, error)
}

// StartIncident implements [app.IncidentService].
func (s *Service) StartIncident(_ context.Context, r app.IncidentRequest) (app.Incident, error) {
	s.call("StartIncident")
	if s.Open != nil {
		return app.Incident{}, app.Errorf(app.CodeIncidentOpen, "open incident", "one is open").With("playbook", string(s.Open.Playbook))
	}
	i := Begun(r)
	if s.IncidentFunc != nil {
		var err error
		if i, err = s.IncidentFunc(r); err != nil {
			return i, err
		}
	}
	s.Open = &i
	s.tell()
	return i, nil
}

// tell tells the window of the open incident, or that there is none.
func (s *Service) tell() {
	s.change(func(st *app.Status) { *st = InIncident(*st, s.Open) })
}

// Incident implements [app.IncidentService].
func (s *Service) Incident(context.Context) (app.Incident, error) {
	s.call("Incident")
	if s.Open == nil {
		return app.Incident{}, app.Errorf(app.CodeIncidentNone, "find incident", "none is open")
	}
	i := *s.Open
	i.Steps = slices.Clone(i.Steps)
	return i, nil
}

// WaitIncident implements [app.IncidentService].
func (s *Service) WaitIncident(ctx context.Context) (app.Incident, error) { return s.Incident(ctx) }

// TickStep implements [app.IncidentService].
func (s *Service) TickStep(ctx context.Context, r app.TickRequest) (app.Incident, error) {
	s.call("TickStep")
	i, err := s.Incident(ctx)
	if err != nil {
		return i, err
	}
	if s.TickFunc != nil {
		i, err = s.TickFunc(r)
	} else if step := i.Step(r.Step); step == nil {
		err = app.Errorf(app.CodeUsage, "tick step", "no step %q", r.Step)
	} else {
		step.State, step.At, step.Reason = map[app.Tick]app.StepState{
			"": app.StepDone, app.TickDone: app.StepDone, app.TickFailed: app.StepFailed, app.TickSkip: app.StepSkipped, app.TickUndo: app.StepOpen,
		}[r.Tick], Now(), r.Reason
	}
	if err == nil {
		Refresh(&i)
		s.Open = &i
		s.tell()
	}
	return i, err
}

// CloseIncident implements [app.IncidentService].
func (s *Service) CloseIncident(ctx context.Context) (app.Incident, error) {
	s.call("CloseIncident")
	i, err := s.Incident(ctx)
	if err != nil {
		return i, err
	}
	i.Closed = Now().Add(time.Minute)
	s.Open, s.Past = nil, append([]app.Incident{i}, s.Past...)
	s.tell()
	return i, nil
}

// Incidents implements [app.IncidentService].
func (s *Service) Incidents(context.Context) ([]app.Incident, error) {
	s.call("Incidents")
	if s.Open != nil {
		return append([]app.Incident{*s.Open}, s.Past...), nil
	}
	return s.Past, nil
}

// IncidentReport implements [app.IncidentService].
func (s *Service) IncidentReport(_ context.Context, r app.ReportRequest) ([]byte, error) {
	s.call("IncidentReport")
	if s.ReportFunc != nil {
		return s.ReportFunc(r)
	}
	return []byte("%PDF-1.3"), nil
}

// Playbooks implements [app.PlaybookService].
func (s *Service) Playbooks(context.Context) ([]app.Playbook, error) {
	s.call("Playbooks")
	if s.PlaybooksFunc != nil {
		return s.PlaybooksFunc(), nil
	}
	return assets.Playbooks()
}

// PlaybookPaper implements [app.PlaybookService].
func (s *Service) PlaybookPaper(_ context.Context, r app.PaperRequest) ([]byte, error) {
	s.call("PlaybookPaper")
	if s.SheetFunc != nil {
		return s.SheetFunc(r)
	}
	return []byte("%PDF-1.3"), nil
}

// Contacts implements [app.PlaybookService].
func (s *Service) Contacts(context.Context) ([]app.Contact, error) {
	s.call("Contacts")
	if s.BookFunc != nil {
		return s.BookFunc()
	}
	return s.Book, nil
}

// SetContacts implements [app.PlaybookService].
func (s *Service) SetContacts(_ context.Context, c []app.Contact) error {
	s.call("SetContacts")
	if s.ContactsFunc != nil {
		if err := s.ContactsFunc(c); err != nil {
			return err
		}
	}
	s.Book = c
	return nil
}

// Messages implements [app.PlaybookService].
func (s *Service) Messages(context.Context, string) ([]app.Message, error) {
	s.call("Messages")
	if s.MessagesFunc != nil {
		return s.MessagesFunc(), nil
	}
	var out []app.Message
	for _, c := range app.Messages() {
		out = append(out, app.Message{Code: c, Title: c, Text: "Björnbär"})
	}
	return out, nil
}

// PageSettings implements [app.PlaybookService].
func (s *Service) PageSettings(context.Context) (app.PageSettings, error) {
	s.call("PageSettings")
	return s.Soon, nil
}

// WritePage implements [app.PlaybookService].
func (s *Service) WritePage(_ context.Context, r app.PageRequest) (app.PageFile, error) {
	s.call("WritePage")
	if s.PageFunc != nil {
		return s.PageFunc(r)
	}
	if r.Settings != nil {
		s.Soon = *r.Settings
	}
	return app.PageFile{Path: "/home/åsa/" + app.PageName, HTML: "<!doctype html>", Published: r.Publish}, nil
}

// Candidates implements [app.ChoiceService].
func (s *Service) Candidates(ctx context.Context, r app.CandidatesRequest) ([]app.Candidate, error) {
	s.call("Candidates")
	if s.CandidatesFunc != nil {
		return s.CandidatesFunc(r)
	}
	points, err := s.Points(ctx, app.PointsRequest{Source: r.Source})
	var out []app.Candidate
	for n, p := range points {
		out = append(out, app.Candidate{Point: p, Proposed: n == 0, Rows: -1})
	}
	return out, err
}

// Search implements [app.ChoiceService].
func (s *Service) Search(_ context.Context, r app.SearchRequest) (app.SearchResult, error) {
	s.call("Search")
	if s.SearchFunc != nil {
		return s.SearchFunc(r)
	}
	return app.SearchResult{Hits: []app.SearchHit{}, All: true}, nil
}
