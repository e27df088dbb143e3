package uitest

import (
	"cmp"
	"context"
	"slices"

	"kvart/app"
)

// Draft is the part of [Service] that remembers a setup which was left. It keeps
// no secrets, as the guard does not.
type Draft struct {
	Kept         app.SetupDraft
	SetDraftFunc func(app.SetupDraft) error
	ArrangeFunc  func(app.ArrangeRequest) error
}

// SetupDraft implements [app.SetupService].
func (s *Service) SetupDraft(context.Context) (app.SetupDraft, error) {
	s.call("SetupDraft")
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.Kept, nil
}

// SetSetupDraft implements [app.SetupService].
func (s *Service) SetSetupDraft(ctx context.Context, d app.SetupDraft) error {
	s.call("SetSetupDraft")
	if s.SetDraftFunc != nil {
		if err := s.SetDraftFunc(d); err != nil {
			return err
		}
	}
	forms, err := s.Forms(ctx)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Kept = d.Without(forms)
	return nil
}

// ArrangeSource implements [app.ArrangeService].
func (s *Service) ArrangeSource(_ context.Context, r app.ArrangeRequest) (app.Source, error) {
	s.call("ArrangeSource")
	if s.ArrangeFunc != nil {
		if err := s.ArrangeFunc(r); err != nil {
			return app.Source{}, err
		}
	}
	var out app.Source
	s.change(func(st *app.Status) {
		st.Sources = slices.Clone(st.Sources)
		for i := range st.Sources {
			src := &st.Sources[i]
			if src.Source.Name != r.Source {
				continue
			}
			src.Source.Name = cmp.Or(r.Name, src.Source.Name)
			if r.Schedule != nil {
				src.Source.Schedule = *r.Schedule
				if src.Source.Schedule.PausedAt(Now()) {
					src.State, src.Error, st.Verdict = app.SourcePaused, &app.Error{Code: app.CodeSourcePaused}, app.VerdictLate
				} else if src.State == app.SourcePaused {
					src.State, src.Error, st.Verdict = app.SourceSafe, nil, app.VerdictSafe
				}
			}
			out = src.Source
		}
	})
	return out, nil
}

// WooCommerce is a shop on WordPress: everything has to be told.
func WooCommerce() app.KindSpec {
	return app.KindSpec{Kind: "woocommerce", Fields: []app.Field{
		{Key: "url", Type: app.FieldText, Required: true},
		{Key: "user", Type: app.FieldText},
		{Key: "password", Type: app.FieldSecret},
		{Key: "consumer_key", Type: app.FieldSecret, Advanced: true},
		{Key: "consumer_secret", Type: app.FieldSecret, Advanced: true},
	}}
}

// Shopify is a shop on somebody else's platform.
func Shopify() app.KindSpec {
	return app.KindSpec{Kind: "shopify", Fields: []app.Field{
		{Key: "shop", Type: app.FieldText, Required: true},
		{Key: "client_id", Type: app.FieldText},
		{Key: "client_secret", Type: app.FieldSecret},
		{Key: "token", Type: app.FieldSecret, Advanced: true},
	}}
}
