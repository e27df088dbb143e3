package uitest

import (
	"context"
	"time"

	"kvart/app"
)

// BigDays is the part of [Service] about peak days.
type BigDays struct {
	// Ready is what Readiness returns; nil means [ReadyList].
	Ready             *app.Readiness
	ReadinessFunc     func() (app.Readiness, error)
	Proof             app.ShopProof
	ProveShopFunc     func() (app.ShopProof, error)
	StartCapacityFunc func(app.CapacityRequest) (app.JobID, error)
	Rehearsed         []app.CapacityResult
	CapacityPaper     []byte
}

// ReadyList is a shop five days before Black Week that is not quite ready.
func ReadyList() app.Readiness {
	peak := &app.PeakDay{Code: "black_week", From: Now().AddDate(0, 0, 5), To: Now().AddDate(0, 0, 13)}
	ago := func(d time.Duration) time.Time { return Now().Add(-d) }
	day := 24 * time.Hour
	return app.Readiness{
		Peak: peak, Soon: true, Days: 5, State: app.ReadyNo,
		Forecast: &app.PeakForecast{Basis: app.BasisLastYear, Until: peak.To, Ordinary: 40e6, Peak: 180e6, Bytes: 1804e6, Free: 400e9},
		Items: []app.ReadyItem{
			{Code: app.ReadyDrill, State: app.ReadyYes, Fact: app.ReadyFact{Code: "drill_fresh", Count: 3, Time: ago(2 * day)}},
			{Code: app.ReadyKit, State: app.ReadyYes, Fact: app.ReadyFact{Code: "kit_good", Count: 2, Time: ago(90 * day)}},
			{Code: app.ReadyLock, State: app.ReadyYes, Fact: app.ReadyFact{Code: "lock_held", Time: ago(3 * day)}},
			{Code: app.ReadyRoom, State: app.ReadyYes, Fact: app.ReadyFact{Code: "room_enough", Bytes: 1804e6, Room: 400e9, Time: peak.To}},
			{Code: app.ReadyPace, State: app.ReadyYes, Fact: app.ReadyFact{Code: "pace_dense", Count: 5}},
			{Code: app.ReadyUpkeep, State: app.ReadyYes, Fact: app.ReadyFact{Code: "upkeep_hours", From: 1, To: 6}},
			{Code: app.ReadyCopy, State: app.ReadyNo, Fact: app.ReadyFact{Code: "copy_behind", Name: "Kontorsdisken", Time: ago(4 * day)}, Do: app.DoCopy},
			{Code: app.ReadyContacts, State: app.ReadyNo, Fact: app.ReadyFact{Code: "contacts_none"}, Do: app.DoContacts},
			{Code: app.ReadyAlerts, State: app.ReadyUnknown, Fact: app.ReadyFact{Code: "alerts_untested", Name: "post"}, Do: app.DoTest},
			{Code: app.ReadyFront, State: app.ReadyYes, Fact: app.ReadyFact{Code: "front_up", Name: "bjornbar.se", Millis: 412, UsualMillis: 380}},
			{Code: app.ReadyDomain, State: app.ReadyYes, Fact: app.ReadyFact{Code: "domain_long", Name: "bjornbar.se", Time: Now().AddDate(0, 7, 0)}},
			{Code: app.ReadyCapacity, State: app.ReadyNeedless, Fact: app.ReadyFact{Code: "capacity_never"}, Do: app.DoProve},
			{Code: app.ReadyPlatform, State: app.ReadyNeedless, Fact: app.ReadyFact{Code: "platform_none"}},
		},
	}
}

// Readiness implements [app.ReadyService].
func (s *Service) Readiness(context.Context) (app.Readiness, error) {
	s.call("Readiness")
	switch {
	case s.ReadinessFunc != nil:
		return s.ReadinessFunc()
	case s.Ready != nil:
		return *s.Ready, nil
	}
	return ReadyList(), nil
}

// ProveShop implements [app.CapacityService].
func (s *Service) ProveShop(context.Context) (app.ShopProof, error) {
	s.call("ProveShop")
	if s.ProveShopFunc != nil {
		return s.ProveShopFunc()
	}
	if s.Proof == (app.ShopProof{}) {
		return app.ShopProof{
			URL: "https://bjornbar.se", Token: "abc123", File: "https://bjornbar.se/.well-known/kvart-abc123.txt",
			Meta: `<meta name="kvart-proof" content="abc123">`,
		}, nil
	}
	return s.Proof, nil
}

// StartCapacity implements [app.CapacityService].
func (s *Service) StartCapacity(_ context.Context, r app.CapacityRequest) (app.JobID, error) {
	s.call("StartCapacity")
	if s.StartCapacityFunc != nil {
		return s.StartCapacityFunc(r)
	}
	return "capacity", nil
}

// Capacities implements [app.CapacityService].
func (s *Service) Capacities(context.Context) ([]app.CapacityResult, error) {
	s.call("Capacities")
	return s.Rehearsed, nil
}

// CapacityReport implements [app.CapacityService].
func (s *Service) CapacityReport(context.Context, app.CapacityReportRequest) ([]byte, error) {
	s.call("CapacityReport")
	return s.CapacityPaper, nil
}
