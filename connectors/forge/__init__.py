"""What GitHub, GitLab and others of their kind share.

Which repositories are meant (`selection`), what makes a deployment (`deploying`) or an incident
(`incidents`, `boolean`, `causes`), and how a list that changes is read (`changing`).
"""
