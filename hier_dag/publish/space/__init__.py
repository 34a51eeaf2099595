"""The space contract: whether models that were built on the live vectors go on working with new ones.

A retrained encoder draws its own axes. The scores may be as good as ever, and yet every model that a consumer
fitted to the old coordinates reads noise. So a new set is compared with the live one by ids that both have,
turned into its space where a rotation is all that differs, and named otherwise.
"""
