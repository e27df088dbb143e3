package app

import "context"

// ApprovalRequest describes a source that its owner wants to let Kvart into with
// the browser.
type ApprovalRequest struct {
	Kind     Kind              `json:"kind"`
	Settings map[string]string `json:"settings"` // as far as they are known: its address
}

// Approval is a page on which an owner lets Kvart in. The page then shows a key,
// which the owner pastes.
type Approval struct {
	// URL is what to open in the owner's browser; it is on the source's own host,
	// and asks for a log-in first where that is needed.
	URL string `json:"url"`
	// Site is the name of the source as it tells it, "" when it doesn't.
	Site string `json:"site,omitempty"`
	// App is what the source will call Kvart in its list of those let in.
	App string `json:"app"`
	// Field is the secret that what the page shows is pasted into, UserField the
	// setting that names who was logged in.
	Field     string `json:"field"`
	UserField string `json:"userField"`
}

// An Approver is implemented by connectors of sources with such a page.
type Approver interface {
	// Approval asks the source, without any key, whether it has such a page. One
	// that has not answers [CodeShopApproval], and any other kind [CodeUsage].
	Approval(ctx context.Context, s Source) (Approval, error)
}
