// Package uitest is what the window's tests share: a guard made of functions,
// sample statuses, and ways to find and press what a person would.
package uitest

import (
	"context"
	"io"
	"strings"
	"sync"
	"time"

	"kvart/app"
)

// Service is a guard whose answers are functions. A nil function gives a
// sensible answer; every call is remembered.
type Service struct {
	mu       sync.Mutex
	calls    []string
	current  app.Status
	settings app.Settings

	// OnPush is called with every pushed status, as a watch would be.
	OnPush func(app.Status)

	ProbeFunc    func(app.StorageSpec) (app.StorageReport, error)
	DiscoverFunc func() ([]app.Found, error)
	AddFunc      func(app.AddSourceRequest) error
	RemoveFunc   func(name string) error
	CheckFunc    func(name string) (app.SourceInfo, error)
	TryFunc      func(app.AddSourceRequest) (app.SourceInfo, error)
	BackupFunc   func(sources []string) (app.JobID, error)
	DrillFunc    func(sources []string) (app.JobID, error)
	WaitFunc     func(app.JobID) (app.Job, error)
	CancelFunc   func(app.JobID) error
	PauseFunc    func(until time.Time) error
	PointsFunc   func(app.PointsRequest) ([]app.Point, error)
	DayFunc      func(app.DayRequest) ([]app.Quarter, error)
	ListFunc     func(app.PathRequest) ([]app.Entry, error)
	CatFunc      func(app.PathRequest) (string, error)
	ExportFunc   func(app.ExportRequest) (string, error)
	DiffFunc     func(app.DiffRequest) ([]app.Change, error)
	PlanFunc     func(app.RestoreRequest) (app.RestorePlan, error)
	RestoreFunc  func(app.RestoreRequest) (app.JobID, error)
	UndoFunc     func(app.RestoreID) (app.JobID, error)
	RestoresFunc func() ([]app.RestoreRecord, error)
	SettingsFunc func(app.Settings) error
	FormsFunc    func() app.Forms
	ChangeFunc   func(app.ChangeSourceRequest) error
	RightsFunc   func(app.RightsRequest) (app.Rights, error)
	ApprovalFunc func(app.ApprovalRequest) (app.Approval, error)

	Care
	WatchOver
	BigDays
	Trouble
	Draft
	Browsing
	Updating
	Help
}

var _ app.Service = (*Service)(nil)

// NewService returns a guard that stands as the status says.
func NewService(s app.Status) *Service {
	return &Service{current: s, settings: app.Settings{Language: s.Language, Autostart: s.Autostart}, Care: Care{KitCode: "7F3K-Q2"}}
}

func (s *Service) call(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, name)
}

// Calls returns the names of the methods called so far, in order.
func (s *Service) Calls() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string{}, s.calls...)
}

// Called returns how often a method was called.
func (s *Service) Called(name string) int {
	n := 0
	for _, c := range s.Calls() {
		if c == name {
			n++
		}
	}
	return n
}

// Push makes the guard stand as the status says, and tells the window.
func (s *Service) Push(st app.Status) {
	s.mu.Lock()
	st.Seq = s.current.Seq + 1
	s.current = st
	s.mu.Unlock()
	if s.OnPush != nil {
		s.OnPush(st)
	}
}

// Current returns the status as it stands.
func (s *Service) Current() app.Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.current
}

// Status implements [app.StatusService].
func (s *Service) Status(context.Context) (app.Status, error) { return s.Current(), nil }

// Watch implements [app.StatusService]: it tells one status and waits.
func (s *Service) Watch(ctx context.Context, fn func(app.Status) error) error {
	if err := fn(s.Current()); err != nil {
		return err
	}
	<-ctx.Done()
	return ctx.Err()
}

// change changes the status as the guard would, and tells the window.
func (s *Service) change(fn func(*app.Status)) {
	st := s.Current()
	fn(&st)
	s.Push(st)
}

// Forms implements [app.VaultService].
func (s *Service) Forms(context.Context) (app.Forms, error) {
	if s.FormsFunc != nil {
		return s.FormsFunc(), nil
	}
	return Forms(), nil
}

// ProbeStorage implements [app.VaultService].
func (s *Service) ProbeStorage(_ context.Context, spec app.StorageSpec) (app.StorageReport, error) {
	s.call("ProbeStorage")
	if s.ProbeFunc != nil {
		return s.ProbeFunc(spec)
	}
	return app.StorageReport{State: app.LocationEmpty, RoundTrip: 212 * time.Millisecond, Free: 640_000_000_000}, nil
}

// StartVerify implements [app.VaultService].
func (s *Service) StartVerify(context.Context, app.VerifyRequest) (app.JobID, error) {
	s.call("StartVerify")
	return "verify-1", nil
}

// StartMaintain implements [app.VaultService].
func (s *Service) StartMaintain(context.Context) (app.JobID, error) {
	s.call("StartMaintain")
	return "maintain-1", nil
}

// Discover implements [app.SourceService].
func (s *Service) Discover(context.Context) ([]app.Found, error) {
	s.call("Discover")
	if s.DiscoverFunc != nil {
		return s.DiscoverFunc()
	}
	return Found(), nil
}

// AddSource implements [app.SourceService].
func (s *Service) AddSource(_ context.Context, r app.AddSourceRequest) (app.Source, error) {
	s.call("AddSource")
	if s.AddFunc != nil {
		if err := s.AddFunc(r); err != nil {
			return app.Source{}, err
		}
	}
	return app.Source{ID: app.SourceID(strings.ToLower(r.Name)), Name: r.Name, Kind: r.Kind, Settings: r.Settings, AddedAt: Now()}, nil
}

// RemoveSource implements [app.SourceService].
func (s *Service) RemoveSource(_ context.Context, name string) error {
	s.call("RemoveSource")
	if s.RemoveFunc != nil {
		return s.RemoveFunc(name)
	}
	return nil
}

// ChangeSource implements [app.SourceService]. A secret that was missing is
// there afterwards.
func (s *Service) ChangeSource(_ context.Context, r app.ChangeSourceRequest) (app.Source, error) {
	s.call("ChangeSource")
	if s.ChangeFunc != nil {
		if err := s.ChangeFunc(r); err != nil {
			return app.Source{}, err
		}
	}
	var out app.Source
	s.change(func(st *app.Status) {
		sources := append([]app.SourceStatus{}, st.Sources...)
		for i := range sources {
			if sources[i].Source.Name == r.Source {
				out = sources[i].Source
				if e := sources[i].Error; len(r.Secrets) > 0 && e != nil && e.Code == app.CodeSecretMissing {
					sources[i].Error = nil
				}
			}
		}
		st.Sources = sources
	})
	if out.Name == "" {
		return out, app.Errorf(app.CodeSourceUnknown, "change source", "no %s", r.Source).With("source", r.Source)
	}
	return out, nil
}

// TrySource implements [app.SourceService].
func (s *Service) TrySource(_ context.Context, r app.AddSourceRequest) (app.SourceInfo, error) {
	s.call("TrySource")
	if s.TryFunc != nil {
		return s.TryFunc(r)
	}
	return app.SourceInfo{Bytes: 412_000_000, Changed: Now()}, nil
}

// CheckSource implements [app.SourceService].
func (s *Service) CheckSource(_ context.Context, name string) (app.SourceInfo, error) {
	s.call("CheckSource")
	if s.CheckFunc != nil {
		return s.CheckFunc(name)
	}
	return app.SourceInfo{Bytes: 412_000_000, Changed: Now()}, nil
}

// Rights implements [app.SourceService].
func (s *Service) Rights(_ context.Context, r app.RightsRequest) (app.Rights, error) {
	s.call("Rights")
	if s.RightsFunc != nil {
		return s.RightsFunc(r)
	}
	return app.Rights{
		User: "root@localhost", Excess: []string{"ALL PRIVILEGES", "SUPER"},
		Statements: []string{"CREATE USER 'kvart_backup'@'localhost' IDENTIFIED BY '<password>';", "GRANT SELECT, SHOW VIEW, TRIGGER, EVENT ON `butik`.* TO 'kvart_backup'@'localhost';"},
		Restoring:  []string{"GRANT ALL PRIVILEGES ON `butik`.* TO 'kvart_backup'@'localhost';"},
	}, nil
}

// Approval implements [app.SourceService].
func (s *Service) Approval(_ context.Context, r app.ApprovalRequest) (app.Approval, error) {
	s.call("Approval")
	if s.ApprovalFunc != nil {
		return s.ApprovalFunc(r)
	}
	return app.Approval{URL: r.Settings["url"] + "/wp-admin/authorize-application.php?app_name=Kvart", Site: "Butiken", App: "Kvart", Field: "password", UserField: "user"}, nil
}

// StartBackup implements [app.JobService].
func (s *Service) StartBackup(_ context.Context, sources []string) (app.JobID, error) {
	s.call("StartBackup")
	if s.BackupFunc != nil {
		return s.BackupFunc(sources)
	}
	return "backup-1", nil
}

// StartDrill implements [app.JobService].
func (s *Service) StartDrill(_ context.Context, sources []string) (app.JobID, error) {
	s.call("StartDrill")
	if s.DrillFunc != nil {
		return s.DrillFunc(sources)
	}
	return "drill-1", nil
}

// Wait implements [app.JobService].
func (s *Service) Wait(_ context.Context, id app.JobID) (app.Job, error) {
	s.call("Wait")
	if s.WaitFunc != nil {
		return s.WaitFunc(id)
	}
	return app.Job{ID: id, Kind: app.JobRestore, State: app.JobDone, Started: Now().Add(-3 * time.Minute), Ended: Now()}, nil
}

// Cancel implements [app.JobService].
func (s *Service) Cancel(_ context.Context, id app.JobID) error {
	s.call("Cancel")
	if s.CancelFunc != nil {
		return s.CancelFunc(id)
	}
	return nil
}

// Pause implements [app.JobService].
func (s *Service) Pause(_ context.Context, until time.Time) error {
	s.call("Pause")
	if s.PauseFunc != nil {
		return s.PauseFunc(until)
	}
	return nil
}

// Points implements [app.HistoryService].
func (s *Service) Points(_ context.Context, r app.PointsRequest) ([]app.Point, error) {
	s.call("Points")
	if s.PointsFunc != nil {
		return s.PointsFunc(r)
	}
	return Points(r.Source), nil
}

// Day implements [app.HistoryService].
func (s *Service) Day(_ context.Context, r app.DayRequest) ([]app.Quarter, error) {
	s.call("Day")
	if s.DayFunc != nil {
		return s.DayFunc(r)
	}
	return Quarters(r.Day), nil
}

// List implements [app.HistoryService].
func (s *Service) List(_ context.Context, r app.PathRequest) ([]app.Entry, error) {
	s.call("List")
	if s.ListFunc != nil {
		return s.ListFunc(r)
	}
	return Entries(r.Path), nil
}

// Cat implements [app.HistoryService].
func (s *Service) Cat(_ context.Context, r app.PathRequest) (io.ReadCloser, error) {
	s.call("Cat")
	text, err := "1;Blå kopp 25 cl;129,00\n2;Kanna;349,00\n", error(nil)
	if strings.HasPrefix(r.Path, "media/") {
		text, err = Picture()
	}
	if s.CatFunc != nil {
		text, err = s.CatFunc(r)
	}
	return io.NopCloser(strings.NewReader(text)), err
}

// Diff implements [app.HistoryService].
func (s *Service) Diff(_ context.Context, r app.DiffRequest) ([]app.Change, error) {
	s.call("Diff")
	if s.DiffFunc != nil {
		return s.DiffFunc(r)
	}
	return []app.Change{
		{Path: "Priser 2026.csv", Kind: app.ChangeRemoved, Before: 4200},
		{Path: "sale", Kind: app.ChangeChanged, Added: 3, Changed: 1, Before: 1200, After: 1203},
	}, nil
}

// Settings implements [app.SettingsService].
func (s *Service) Settings(context.Context) (app.Settings, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.settings, nil
}

// SetSettings implements [app.SettingsService].
func (s *Service) SetSettings(_ context.Context, set app.Settings) error {
	s.call("SetSettings")
	if s.SettingsFunc != nil {
		if err := s.SettingsFunc(set); err != nil {
			return err
		}
	}
	s.mu.Lock()
	s.settings = set
	s.mu.Unlock()
	st := s.Current()
	st.Language, st.Autostart, st.Theme = set.Language, set.Autostart, set.Theme
	s.Push(st)
	return nil
}
