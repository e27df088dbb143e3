package uitest

import (
	"context"

	"kvart/app"
)

// PlanRestore implements [app.RestoreService].
func (s *Service) PlanRestore(_ context.Context, r app.RestoreRequest) (app.RestorePlan, error) {
	s.call("PlanRestore")
	if s.PlanFunc != nil {
		return s.PlanFunc(r)
	}
	return Plan(s.Current(), r), nil
}

// StartRestore implements [app.RestoreService].
func (s *Service) StartRestore(_ context.Context, r app.RestoreRequest) (app.JobID, error) {
	s.call("StartRestore")
	if s.RestoreFunc != nil {
		return s.RestoreFunc(r)
	}
	return "restore-1", nil
}

// StartUndo implements [app.RestoreService].
func (s *Service) StartUndo(_ context.Context, id app.RestoreID) (app.JobID, error) {
	s.call("StartUndo")
	if s.UndoFunc != nil {
		return s.UndoFunc(id)
	}
	return "undo-1", nil
}

// Restores implements [app.RestoreService].
func (s *Service) Restores(context.Context) ([]app.RestoreRecord, error) {
	s.call("Restores")
	if s.RestoresFunc != nil {
		return s.RestoresFunc()
	}
	return nil, nil
}
