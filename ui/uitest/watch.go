package uitest

import (
	"context"
	"slices"
	"time"

	"kvart/app"
)

// WatchOver is the part of [Service] that watches over the shop.
type WatchOver struct {
	Watching       app.WatchSettings
	AnswerFunc     func(app.AnswerRequest) error
	SetWatchFunc   func(app.WatchRequest) error
	TestAlertFunc  func(channel string) error
	TestFrontFunc  func() (app.StorefrontProbe, error)
	UptimeFunc     func() (app.Uptime, error)
	DrillsFunc     func(source string) ([]app.DrillResult, error)
	PeakDaysFunc   func() ([]app.PeakDay, error)
	AnsweredBefore []app.Unusual
}

// Question is an unusual change that the owner has yet to answer about.
func Question() app.Unusual {
	return app.Unusual{
		ID: 1, SourceID: "bilder", Source: "Bilder", At: Now().Add(-10 * time.Minute), Level: app.UnusualAlarm, Point: "bilder-9", Good: "bilder-8",
		GoodTime: Now().Add(-25 * time.Minute),
		Reasons:  []app.UnusualReason{{Code: app.UnusualRansom, Kind: ".lockbit", Count: 412}, {Code: app.UnusualFiles, Kind: ".jpg", Count: 400, Of: 400}},
	}
}

// Suspicious returns a shop about which something is asked.
func Suspicious() app.Status {
	st := Safe()
	u := Question()
	st.Verdict, st.Unusual = app.VerdictSuspicious, []app.Unusual{u}
	st.Problems = append(st.Problems, app.Problemed{Source: u.Source, Error: (&app.Error{Code: app.CodeUnusual}).With("source", u.Source)})
	return st
}

// AnswerUnusual implements [app.WatchService].
func (s *Service) AnswerUnusual(_ context.Context, r app.AnswerRequest) (app.Unusual, error) {
	s.call("AnswerUnusual")
	st := s.Current()
	i := slices.IndexFunc(st.Unusual, func(u app.Unusual) bool { return u.Source == r.Source || string(u.SourceID) == r.Source })
	if i < 0 {
		return app.Unusual{}, app.Errorf(app.CodeNothingAsked, "answer", "nothing is asked").With("source", r.Source)
	}
	if s.AnswerFunc != nil {
		if err := s.AnswerFunc(r); err != nil {
			return app.Unusual{}, err
		}
	}
	u := st.Unusual[i]
	u.Answered, u.Yes = Now(), r.Yes
	s.change(func(st *app.Status) {
		st.Unusual = slices.Delete(slices.Clone(st.Unusual), i, i+1)
		st.Problems = slices.DeleteFunc(slices.Clone(st.Problems), func(p app.Problemed) bool {
			return p.Error.Code == app.CodeUnusual && p.Source == u.Source
		})
		if len(st.Problems) == 0 {
			st.Verdict = app.VerdictSafe
		}
	})
	s.AnsweredBefore = append([]app.Unusual{u}, s.AnsweredBefore...)
	return u, nil
}

// Unusuals implements [app.WatchService].
func (s *Service) Unusuals(context.Context) ([]app.Unusual, error) {
	s.call("Unusuals")
	return append(slices.Clone(s.Current().Unusual), s.AnsweredBefore...), nil
}

// WatchSettings implements [app.WatchService].
func (s *Service) WatchSettings(context.Context) (app.WatchSettings, error) {
	s.call("WatchSettings")
	return s.Watching, nil
}

// SetWatch implements [app.WatchService].
func (s *Service) SetWatch(_ context.Context, r app.WatchRequest) (app.WatchSettings, error) {
	s.call("SetWatch")
	if s.SetWatchFunc != nil {
		if err := s.SetWatchFunc(r); err != nil {
			return s.Watching, err
		}
	}
	beat := s.Watching.Heartbeat
	if b, given := r.Secrets[app.HeartbeatKey]; given {
		beat = ""
		if !b.IsZero() {
			beat = "hc-ping.com"
		}
	}
	s.Watching = r.Settings
	s.Watching.Heartbeat = beat
	return s.Watching, nil
}

// TestAlert implements [app.WatchService].
func (s *Service) TestAlert(_ context.Context, channel string) error {
	s.call("TestAlert")
	if s.TestAlertFunc != nil {
		return s.TestAlertFunc(channel)
	}
	return nil
}

// TestStorefront implements [app.WatchService].
func (s *Service) TestStorefront(context.Context) (app.StorefrontProbe, error) {
	s.call("TestStorefront")
	switch {
	case s.TestFrontFunc != nil:
		return s.TestFrontFunc()
	case s.Watching.Storefront == nil:
		return app.StorefrontProbe{}, app.Errorf(app.CodeStorefrontNone, "look at storefront", "none is watched")
	}
	return app.StorefrontProbe{At: Now(), State: app.StorefrontUp, Millis: 240, Status: 200, Where: s.Watching.Storefront.URL, CertificateUntil: Now().AddDate(0, 2, 0)}, nil
}

// Uptime implements [app.WatchService].
func (s *Service) Uptime(context.Context) (app.Uptime, error) {
	s.call("Uptime")
	if s.UptimeFunc != nil {
		return s.UptimeFunc()
	}
	return app.Uptime{}, nil
}

// Drills implements [app.ProofService].
func (s *Service) Drills(_ context.Context, source string) ([]app.DrillResult, error) {
	s.call("Drills")
	switch {
	case s.DrillsFunc != nil:
		return s.DrillsFunc(source)
	case s.Current().LastDrill != nil:
		return []app.DrillResult{*s.Current().LastDrill}, nil
	}
	return nil, nil
}

// PeakDays implements [app.ProofService].
func (s *Service) PeakDays(context.Context) ([]app.PeakDay, error) {
	s.call("PeakDays")
	if s.PeakDaysFunc != nil {
		return s.PeakDaysFunc()
	}
	return nil, nil
}
