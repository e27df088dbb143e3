package ipc

import (
	"context"
	"reflect"
	"strings"
	"testing"
	"time"

	"kvart/app"
)

// Every method of the service has a way over the socket.
func TestMethods_areAll(t *testing.T) {
	t.Parallel()
	have := (&Server{Service: fake{}}).methods()
	service := reflect.TypeFor[app.Service]()
	for i := range service.NumMethod() {
		name := service.Method(i).Name
		var kebab strings.Builder
		for n, r := range name {
			if n > 0 && r >= 'A' && r <= 'Z' {
				kebab.WriteByte('-')
			}
			kebab.WriteString(strings.ToLower(string(r)))
		}
		if have[kebab.String()] == nil {
			t.Errorf("no way to %s: %s", name, kebab.String())
		}
	}
}

// guide is a guard that has an incident.
type guide struct {
	fake
	asked app.TickRequest
}

func (g *guide) TickStep(_ context.Context, r app.TickRequest) (app.Incident, error) {
	g.asked = r
	return app.Incident{ID: "i", Steps: []app.IncidentStep{{
		PlaybookStep: app.PlaybookStep{Code: "confirm", Actor: app.ActorOwner}, State: app.StepDone, Error: app.Errorf(app.CodeInfected, "x", "y"),
	}}, Points: map[app.SourceID]app.ChosenPoint{"kassan": {Point: "p1"}}}, nil
}

func (g *guide) IncidentReport(context.Context, app.ReportRequest) ([]byte, error) {
	return []byte{0, 1, 0xFF}, nil
}

func (g *guide) PlaybookPaper(_ context.Context, r app.PaperRequest) ([]byte, error) {
	return []byte(string(r.Playbook) + " " + string(r.Format) + "\xff"), nil
}

func TestIncident_crossesTheSocketWhole(t *testing.T) {
	t.Parallel()
	g := &guide{}
	socket, _ := serve(t, g, "1")
	c := dial(t, socket, "1")
	want := app.TickRequest{Step: "confirm", Tick: app.TickSkip, Reason: "å", Choice: &app.Choice{Sources: []string{"Kassan"}, Before: time.Unix(5, 0).UTC()}, EvenInfected: true}
	i, err := c.TickStep(t.Context(), want)
	if err != nil || !reflect.DeepEqual(g.asked, want) {
		t.Errorf("asked %+v, %v", g.asked, err)
	}
	if s := i.Step("confirm"); s == nil || s.Actor != app.ActorOwner || s.Error.Code != app.CodeInfected || i.Points["kassan"].Point != "p1" {
		t.Errorf("got %+v", i)
	}
	if b, err := c.IncidentReport(t.Context(), app.ReportRequest{}); err != nil || string(b) != "\x00\x01\xff" {
		t.Errorf("report %v, %v", b, err)
	}
	if b, err := c.PlaybookPaper(t.Context(), app.PaperRequest{Playbook: app.PlaybookHacked, Format: app.ReportPDF}); err != nil || string(b) != "hacked pdf\xff" {
		t.Errorf("checklist %q, %v", b, err)
	}
}
