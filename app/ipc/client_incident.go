package ipc

import (
	"context"

	"kvart/app"
)

// StartIncident implements [app.IncidentService].
func (c *Client) StartIncident(ctx context.Context, r app.IncidentRequest) (app.Incident, error) {
	return ask[app.Incident](ctx, c, "start-incident", r)
}

// Incident implements [app.IncidentService].
func (c *Client) Incident(ctx context.Context) (app.Incident, error) {
	return ask[app.Incident](ctx, c, "incident", none{})
}

// WaitIncident implements [app.IncidentService].
func (c *Client) WaitIncident(ctx context.Context) (app.Incident, error) {
	return ask[app.Incident](ctx, c, "wait-incident", none{})
}

// TickStep implements [app.IncidentService].
func (c *Client) TickStep(ctx context.Context, r app.TickRequest) (app.Incident, error) {
	return ask[app.Incident](ctx, c, "tick-step", r)
}

// CloseIncident implements [app.IncidentService].
func (c *Client) CloseIncident(ctx context.Context) (app.Incident, error) {
	return ask[app.Incident](ctx, c, "close-incident", none{})
}

// Incidents implements [app.IncidentService].
func (c *Client) Incidents(ctx context.Context) ([]app.Incident, error) {
	return ask[[]app.Incident](ctx, c, "incidents", none{})
}

// IncidentReport implements [app.IncidentService].
func (c *Client) IncidentReport(ctx context.Context, r app.ReportRequest) ([]byte, error) {
	return ask[[]byte](ctx, c, "incident-report", r)
}

// Playbooks implements [app.PlaybookService].
func (c *Client) Playbooks(ctx context.Context) ([]app.Playbook, error) {
	return ask[[]app.Playbook](ctx, c, "playbooks", none{})
}

// PlaybookPaper implements [app.PlaybookService].
func (c *Client) PlaybookPaper(ctx context.Context, r app.PaperRequest) ([]byte, error) {
	return ask[[]byte](ctx, c, "playbook-paper", r)
}

// Contacts implements [app.PlaybookService].
func (c *Client) Contacts(ctx context.Context) ([]app.Contact, error) {
	return ask[[]app.Contact](ctx, c, "contacts", none{})
}

// SetContacts implements [app.PlaybookService].
func (c *Client) SetContacts(ctx context.Context, list []app.Contact) error {
	return tell(ctx, c, "set-contacts", list)
}

// Messages implements [app.PlaybookService].
func (c *Client) Messages(ctx context.Context, language string) ([]app.Message, error) {
	return ask[[]app.Message](ctx, c, "messages", language)
}

// PageSettings implements [app.PlaybookService].
func (c *Client) PageSettings(ctx context.Context) (app.PageSettings, error) {
	return ask[app.PageSettings](ctx, c, "page-settings", none{})
}

// WritePage implements [app.PlaybookService].
func (c *Client) WritePage(ctx context.Context, r app.PageRequest) (app.PageFile, error) {
	return ask[app.PageFile](ctx, c, "write-page", r)
}

// Candidates implements [app.ChoiceService].
func (c *Client) Candidates(ctx context.Context, r app.CandidatesRequest) ([]app.Candidate, error) {
	return ask[[]app.Candidate](ctx, c, "candidates", r)
}

// Search implements [app.ChoiceService].
func (c *Client) Search(ctx context.Context, r app.SearchRequest) (app.SearchResult, error) {
	return ask[app.SearchResult](ctx, c, "search", r)
}
