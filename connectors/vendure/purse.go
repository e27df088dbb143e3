package vendure

import "kvart/connectors/rest"

var _ rest.Purse = (*Platform)(nil)

// Currency implements [rest.Purse]: the first channel's, for what names none.
func (p *Platform) Currency(from *rest.Reading) (currency string, err error) {
	err = from.Each(kindChannels, func(m map[string]any) error {
		if currency == "" {
			currency = rest.At(m, "defaultCurrencyCode")
		}
		return nil
	})
	return currency, err
}

// Minor implements [rest.Purse]: amounts are whole numbers.
func (p *Platform) Minor() bool { return true }
