package ui

import (
	"os"
	"testing"
	"time"

	"fyne.io/fyne/v2"

	"kvart/app"
	"kvart/assets"
	"kvart/ui/screen"
	"kvart/ui/uitest"
)

// inIncident is a window with an open incident in it.
func inIncident(t *testing.T, i app.Incident, change ...func(*app.Status)) *rig {
	t.Helper()
	st := uitest.InIncident(uitest.Safe(), &i)
	for _, fn := range change {
		fn(&st)
	}
	r := newRig(t, st)
	r.svc.Open = &i
	r.svc.Book = uitest.People()
	r.svc.MessagesFunc = messages
	return r
}

func messages() []app.Message {
	var out []app.Message
	for _, c := range app.Messages() {
		out = append(out, app.Message{Code: c, Title: "To " + c, Text: "Dear " + c + ",\n\nKafferosteriet has a technical fault just now."})
	}
	return out
}

// push tells the window of the incident as it is now.
func (r *rig) push(i app.Incident, change ...func(*app.Status)) {
	r.t.Helper()
	r.svc.Open = &i
	st := uitest.InIncident(r.svc.Current(), &i)
	for _, fn := range change {
		fn(&st)
	}
	r.svc.Push(st)
}

func step(t testing.TB, i *app.Incident, code app.StepCode) *app.IncidentStep {
	t.Helper()
	s := i.Step(code)
	if s == nil {
		t.Fatalf("no step %s", code)
	}
	return s
}

// words are the window's own, to find buttons by in both languages.
func words(t *testing.T, lang string) *assets.Words {
	t.Helper()
	w, err := assets.NewWords(lang)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// TestIncident_everyPageSpeaksBothLanguages walks all pages of Recover, at the
// usual and the smallest size.
func TestIncident_everyPageSpeaksBothLanguages(t *testing.T) {
	for _, lang := range []string{"en", "sv"} {
		w := words(t, lang)
		i := uitest.Hacked()
		s := uitest.Suspicious()
		s.Language = lang
		s.Sources[0].Proof, s.Sources[1].Proof, s.Sources[2].Proof = app.ProofProven, app.ProofChanged, app.ProofFailed
		r := newRig(t, s)
		r.svc.Book, r.svc.MessagesFunc = uitest.People(), messages
		r.svc.CandidatesFunc = candidates
		r.svc.DrillsFunc = func(string) ([]app.DrillResult, error) { return drills(), nil }
		past := uitest.Hacked()
		past.Closed, past.Back = uitest.Now(), uitest.Now()
		r.svc.Past = []app.Incident{past}
		r.svc.SearchFunc = func(app.SearchRequest) (app.SearchResult, error) { return found(), nil }
		look := func(name string) {
			t.Helper()
			sizes := []fyne.Size{fyne.NewSize(1120, 740), fyne.NewSize(1024, 700)}
			if lang == "sv" { // the longer words
				sizes = append(sizes, fyne.NewSize(683, 384))
			}
			for _, size := range sizes {
				r.win.Resize(size)
				r.lacks("⟦", "<no value>", "{{")
				if min := r.win.Content().MinSize(); min.Width > size.Width || min.Height > size.Height {
					t.Errorf("%s in %s at %v needs %v", name, lang, size, min)
				}
				if size.Width == 1120 || os.Getenv("KVART_NARROW") != "" {
					r.shoot("recover-" + name + "-" + lang + map[float32]string{1024: "-narrow", 683: "-tiny"}[size.Width])
				}
			}
			r.win.Resize(fyne.NewSize(1120, 740))
		}
		look("home-question")
		r.show(screen.Place{Screen: screen.Recover})
		look("start")
		for _, code := range app.PlaybookCodes() {
			r.show(screen.Place{Screen: screen.Recover})
			name := w.T("incident.playbook." + string(code))
			if code == app.PlaybookRehearsal {
				name = w.T("recover.rehearse.button")
			}
			r.press(name)
			if code == app.PlaybookDeleted {
				uitest.Write(t, r.c, 0, "kopp")
				r.press(w.T("recover.find.button"))
				r.press("Produkter/kopp.jpg")
				look("find")
				r.press(w.T("recover.find.led"))
			}
			look("ask-" + string(code))
			if code == app.PlaybookCrashed {
				r.press("Kassan")
				r.press(w.T("recover.when.day"))
				look("ask-one")
			}
			uitest.Key(r.c, fyne.KeyEscape)
		}
		for name, key := range map[string]string{"contacts": "recover.contacts", "soon": "recover.soon", "papers": "recover.papers.button", "past": "recover.past", "drills": "recover.drills.button"} {
			r.show(screen.Place{Screen: screen.Recover})
			r.press(w.T(key))
			look(name)
			uitest.Key(r.c, fyne.KeyEscape)
		}
		r.push(i, func(st *app.Status) { st.Job, st.Unusual, st.Problems = uitest.Restoring().Job, nil, nil })
		r.show(screen.Place{Screen: screen.Home})
		look("home-incident")
		r.show(screen.Place{Screen: screen.Recover})
		look("running")
		title, _, _ := assets.StepWords(w, "police")
		r.press(title)
		look("running-police")
		bad := uitest.Hacked()
		*step(t, &bad, "restore") = app.IncidentStep{PlaybookStep: step(t, &bad, "restore").PlaybookStep, State: app.StepFailed, Ready: true, Error: &app.Error{Code: app.CodeInfected}}
		bad.Infected = []app.ComputerID{"x"}
		r.push(bad, func(st *app.Status) { st.Job = nil })
		look("running-infected")
		r.press(w.T("recover.infected.button"))
		look("running-infected-ask")
		r.press(w.T("confirm.no"))
		r.press(w.T("recover.close"))
		r.press(w.T("recover.close.yes"))
		look("closed")
		r.Close()
	}
}

func candidates(q app.CandidatesRequest) ([]app.Candidate, error) {
	var out []app.Candidate
	for n, p := range uitest.Points(q.Source) {
		c := app.Candidate{Point: p, Rows: int64(12940 - n), NewestOrder: "1042", Proposed: n == 1}
		if n == 0 {
			c.Unusual = app.CodeUnusual
		}
		if len(out) < q.Limit {
			out = append(out, c)
		}
	}
	return out, nil
}

func found() app.SearchResult {
	p := uitest.Points("Kassan")
	return app.SearchResult{Looked: 12, Points: 40, Hits: []app.SearchHit{
		{Path: "Produkter/kopp.jpg", First: p[5], Last: p[2], Size: 81000}, {Path: "products/12", Title: "Blå kopp 25 cl", Under: "129,00", First: p[5], Last: p[0], Now: true},
	}}
}

func drills() []app.DrillResult {
	at := uitest.Now().Add(-34 * time.Hour)
	week := 7 * 24 * time.Hour
	return []app.DrillResult{
		{Source: "Kassan", At: at, OK: true, Seconds: 27},
		{Source: "Bilder", At: at, Seconds: 3, Error: &app.Error{Code: app.CodeSourceDamaged, Args: map[string]string{"source": "Bilder"}}},
		{Source: "Kassan", At: at.Add(-week), OK: true, Seconds: 33},
		{Source: "Bilder", At: at.Add(-week), OK: true, Seconds: 120},
	}
}
