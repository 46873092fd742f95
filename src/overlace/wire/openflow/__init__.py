"""OpenFlow 1.5 with the Open vSwitch extensions that the pipeline uses: sans-IO codec and session."""
